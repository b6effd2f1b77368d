package wire

// Spread is when a writer looks that is to do so after d.
var Spread = spread
