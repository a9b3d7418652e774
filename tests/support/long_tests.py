"""The tests that `make test` leaves out and `make test-all` runs, so that a fresh clone is tested sooner.

Most of them try further sizes of a game, or a further game, after one that is always tried; compiling a game takes up to
half a minute. The others are short forms of `make torture`, and parts of the benchmarks.
"""

from __future__ import annotations

LONG = (
    # Further games and kinds of games (kinds.py), after some that are always tried.
    r"/(actor|search)/.*\[(.*-)?(othello|go:size=4)(-.*)?\]",
    r"/test_costs\.py::.*\[.*-(othello|go:size=4|dots:.*|breakthrough:.*)\]",
    r"/test_shipment\.py::test_a_hub.*\[(othello|go:size=4|dots:.*|breakthrough:.*)\]",
    r"/test_rollouts\.py::test_it_plays_every_game.*\[(connect4|othello|mnk|hex|breakthrough|dots|go|minichess)\]",
    r"/test_real_engines\.py::test_our_engine.*\[(hex:size=5|breakthrough|dots|connect4)\]",
    r"/actor/.*\[(.*-)?(dots|breakthrough):",
    r"/test_actor\.py::test_stored_games.*connect4\]",
    r"/test_play\.py::test_an_env_id_with_parameters",
    r"/test_contract\.py::.*\[(mnk:width=9|breakthrough:rows=5)",
    # Sizes of games, and more games.
    r"/games/.*::test_openspiel_agrees_on_random_games\[.*-1000\]",
    r"/test_tutorial\.py::test_the_second_game.*\[5-",
    r"/test_hex\.py::test_openspiel.*\[(2|8|12)-",
    r"/test_hex\.py::.*\[(3-wins1|2)\]",
    r"/test_hex\.py::test_wins_next.*\[3\]",
    r"/test_mnk\.py::test_three_in_a_row.*\[(4-3|3-4)",
    r"/test_mnk\.py::test_a_stone_wins.*\[(16-8-4|4-7-5)\]",
    r"/test_dots\.py::test_openspiel.*\[(1-1|2-4|7-5)",
    r"/test_dots\.py::test_small_boards.*\[(1-1|1-2|2-1)",
    r"/test_go\.py::test_(play_reaches|as_many_boards).*\[[34]\]",
    r"/test_go\.py::test_the_first_player_wins.*\[(3-17|2-1|2-2)",
    r"/test_go\.py::test_openspiel.*\[(5|2)-",
    r"/test_breakthrough\.py::test_two_solvers.*\[(5-2|6-2|4-3)",
    r"/test_breakthrough\.py::.*\[(8-8|6-6|8-3)\]",
    # Kinds of mistakes, and of ways to start and stop, after one of each.
    r"/test_max_moves\.py::.*\[legal",
    r"/test_command\.py::test_correct_games_pass\[(connect4|othello)\]",
    r"/test_promises\.py::test_a_broken_promise.*\[(the (mover|winner|end) is|moves after|games are|too many|reading)",
    r"/test_solvers\.py::.*\[(200|walk.*|circle.*)\]",
    r"/test_solvers\.py::test_go_is_not_solved",
    r"/test_rollouts\.py::test_values_change_their_sign",
    r"/test_actor\.py::test_(several_actors|a_signal_stops_it.*\[2\])",
    r"/test_trainer\.py::.*test_it_is_interrupted.*\[SIGTERM\]",
    r"/test_planted_mistakes\.py::.*\[(a symmetry (of|permutes)|a position isn't|a division|words beyond|a history beyond)",
    r"/test_planted_mistakes\.py::.*\[an index is out of bounds late",
    r"/test_max_moves\.py::test_(rollouts_and|self_play_stays)",
    r"/test_solvers\.py::test_(a_history_that|a_large_game)",
    r"/test_scored_positions\.py::test_a_large_game",
    r"/test_rollouts\.py::test_it_never_errs",
    r"/test_broken_model\.py::test_a_broken_latest_model.*\[(gone|empty|other game)\]",
    r"/test_page\.py::test_a_whole_game_by_clicks\[(othello-draw|othello-loss|connect4-draw)\]",
    r"/test_(page|boards)\.py::test_every_(view|board)_is_accessible_and_fits\[(desktop-light|phone-dark)\]",
    # Parts of the benchmarks, and what `make torture` tries, too.
    r"/test_bench\.py::test_every_part.*\[(ceiling|cache|network|games|memory|coldstart|soak|cluster-soak|load|training)\]",
    r"/test_torture\.py::test_(death_(at_some_points|of_what_ends)|kills_at_random|damaged_requests|a_killed_run|many_at_one)",
    r"/test_bench\.py::test_a_peer_that_is_not_installed",
    r"/test_owner\.py::test_two_loops",
    r"/test_loop\.py::test_(a_run_that_is_over|a_killed_loop|an_actor_that_somebody)",
)
"""Patterns of node ids. Each must match some test of the suite."""
