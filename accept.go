package wsx

import (
	"errors"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/fiberwsx/wsx/internal/turn"
)

// patient is a listener that waits while the process or the system has nothing left to accept with. fasthttp takes that
// for the end, and the process would end with all the clients that it has. Where many connect at once it takes turns.
type patient struct {
	net.Listener
	takeTurn func()
	burst    turn.Burst // of connections
}

func newPatient(ln net.Listener) *patient {
	return &patient{Listener: ln, takeTurn: new(turn.Turns).Take}
}

// The pauses between two attempts to accept.
const (
	firstAcceptPause = 5 * time.Millisecond
	lastAcceptPause  = time.Second
)

// Accept implements [net.Listener].
func (l *patient) Accept() (net.Conn, error) {
	for pause := firstAcceptPause; ; pause = min(2*pause, lastAcceptPause) {
		nc, err := l.Listener.Accept()
		switch {
		case err == nil:
			l.burst.Piece(l.takeTurn)
			return nc, nil
		case !isWant(err):
			return nil, err
		}
		if pause == firstAcceptPause {
			slog.Warn("wsx: cannot accept connections for want of resources, trying again", "error", err)
		}
		t := time.NewTimer(pause)
		<-t.C
	}
}

// isWant reports whether accepting may work again when others have closed something.
func isWant(err error) bool {
	for _, want := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}
