package main

import (
	"slices"
	"strings"
)

// guard is a piece of code that keeps something out, and how to take it away.
type guard struct {
	name  string
	file  string // from the root of the repository
	text  string // stands in file exactly once
	other string // what it becomes
	pkg   string // whose tests notice, as the go command names it
	tests string // these, a pattern for -run
}

// guards returns the table. The parts are named after where the guards stand.
func guards() []guard {
	return slices.Concat(handshakeGuards, originGuards, tokenGuards, authGuards, capGuards, doctorGuards, edgeGuards,
		frameGuards, parserGuards, deflateGuards, turnGuards, memoryGuards, requestGuards, ingestGuards, outboxGuards,
		budgetGuards, policyGuards, socketGuards, hubGuards, eventGuards, shutdownGuards, leafGuards)
}

// removed returns the content of g's file without the guard. False: its text does not stand there exactly once.
func (g guard) removed(content string) (without string, ok bool) {
	if strings.Count(content, g.text) != 1 {
		return "", false
	}
	return strings.Replace(content, g.text, g.other, 1), true
}
