export class InsideView { constructor(holder) { holder.append('…'); } close() {} }
