// Package load drives WebSocket servers as hard as one core can, with WebSocket code of its own: it counts every
// delivery, compares payloads with what was sent, and allocates nothing while it measures. It works on Linux only.
package load
