"""m,n,k-games: a line of stones on a board of any size; Gomoku is one of them."""
