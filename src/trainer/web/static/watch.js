export class WatchView { constructor(holder) { holder.append('…'); } close() {} }
