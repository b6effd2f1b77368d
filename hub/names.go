package hub

import (
	"crypto/rand"
	"encoding/base32"
	"sync"
)

// names makes names of connections, of 128 random bits each. Many come from one read of the system's randomness, which
// costs as much as everything else that making a connection takes here.
type names struct {
	mu   sync.Mutex
	left []byte
}

const (
	nameBytes = 16
	namesRead = 64 // at once
)

var nameEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

func (n *names) next() string {
	n.mu.Lock()
	if len(n.left) == 0 {
		n.left = make([]byte, namesRead*nameBytes)
		_, _ = rand.Read(n.left) // it does not fail
	}
	raw := [nameBytes]byte(n.left)
	n.left = n.left[nameBytes:]
	n.mu.Unlock()
	return nameEncoding.EncodeToString(raw[:])
}
