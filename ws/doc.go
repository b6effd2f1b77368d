// Package ws is the vocabulary of RFC 6455 that every other package of wsx shares: messages, status codes and the
// error that carries one.
package ws
