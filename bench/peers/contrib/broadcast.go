package main

import (
	"bytes"
	"net"
	"sync"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

// member is a connection. When its handler returns fasthttp gives the socket's wrapper to the next connection, so
// nobody may be left writing to it.
type member struct {
	conn *websocket.Conn
	mu   sync.Mutex // one writer at a time, in the modes loop and prepared
	out  chan message
}

type message struct {
	kind int
	data []byte
}

var members peer.Members[*member]

func loop(_ *member, kind int, p []byte) error {
	members.Each(func(m *member) {
		m.mu.Lock()
		defer m.mu.Unlock()
		_ = m.conn.WriteMessage(kind, p)
	})
	return nil
}

func prepared(_ *member, kind int, p []byte) error {
	frame, err := websocket.NewPreparedMessage(kind, p)
	if err != nil {
		return err
	}
	members.Each(func(m *member) {
		m.mu.Lock()
		defer m.mu.Unlock()
		_ = m.conn.WritePreparedMessage(frame)
	})
	return nil
}

func queue(_ *member, kind int, p []byte) error {
	v := message{kind, bytes.Clone(p)}
	members.Each(func(m *member) { m.out <- v })
	return nil
}

// queued is how many messages wait for a writer before a broadcast waits.
const queued = 256

// start starts the goroutine that writes. After stop it has ended; nobody may queue any more.
func (m *member) start() (stop func()) {
	m.out = make(chan message, queued)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.write()
	}()
	return func() {
		m.abort()
		close(m.out)
		<-ended
	}
}

func (m *member) write() {
	for v := range m.out {
		if m.conn.WriteMessage(v.kind, v.data) != nil {
			break
		}
	}
	for range m.out { // whoever queues must not wait
	}
}

// abort closes the socket, so that every write fails, the one that is stuck too. The connection's own Close does
// nothing.
func (m *member) abort() {
	if nc, ok := m.conn.NetConn().(interface{ UnsafeConn() net.Conn }); ok {
		nc.UnsafeConn().Close()
	}
}

func (m *member) ping() error {
	return m.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(*peer.PingInterval))
}
