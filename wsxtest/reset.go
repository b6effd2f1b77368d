package wsxtest

import "net"

// halfCloser is a connection of which one half can end.
type halfCloser interface{ CloseWrite() error }

// below returns the first of a connection and those below it that is a T. What only passes on does not count.
func below[T any](nc net.Conn) (found T, ok bool) {
	for {
		if _, passesOn := nc.(*faulty); !passesOn {
			if found, ok = nc.(T); ok {
				return found, true
			}
		}
		over, ok := nc.(interface{ NetConn() net.Conn }) // as a tls.Conn has it
		if !ok {
			return found, false
		}
		nc = over.NetConn()
	}
}

// reset closes a connection with a TCP reset, or without a word when there is no TCP below it.
func reset(nc net.Conn) {
	if tcp, ok := below[*net.TCPConn](nc); ok {
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
	}
	_ = nc.Close()
}
