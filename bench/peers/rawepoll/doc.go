// Command rawepoll is the limit: an epoll loop a processor, non-blocking system calls that Go's scheduler does not hear
// of, and no more WebSocket than moves the bytes. It checks nothing but lengths, joins no fragments, and bounds no
// queue. It needs Linux.
package main
