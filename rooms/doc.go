// Package rooms keeps who is in which room. It knows neither connections nor messages: rooms and members are any
// comparable values.
//
// # Concurrency
//
// Every method of [Registry] may be called from any goroutine. Calls for different rooms do not wait for each other.
// Calls that change the memberships of one and the same member should come one after the other, or LeaveAll may miss a
// room that is being joined meanwhile.
package rooms
