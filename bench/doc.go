// Command bench measures wsx against its peers: every server gets the same load in turn, round after round, and what is
// told is the ratio within a round. It needs Linux. See README.md.
package main
