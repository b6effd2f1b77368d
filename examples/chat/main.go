// Command chat is a chat for the browser: rooms, what was said before, who is here, who is typing, private messages,
// and moderators who can kick.
//
// Copy this directory. Change the looks in web/, where feed.js and session.js can stay as they are, and:
//
//	login.go   a name is enough to log in here: ask your users for what proves who they are, and look that up
//	room.go    keeps the last messages in memory: keep them in your store, if they are to outlive the program
//	main.go    set CHAT_KEY (openssl rand -hex 32), so that a restart logs nobody out; serve it over TLS
//	server.go  the limits, and behind a proxy fiber.Config.ProxyHeader with TrustedProxies, or all have one address
package main

import (
	"crypto/rand"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strings"

	"github.com/fiberwsx/wsx"
)

// minKey is the shortest key in bytes that an HMAC with SHA-256 should be given.
const minKey = 32

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "where to listen")
	rooms := flag.String("rooms", "lobby,help,random", "the rooms")
	flag.Parse()
	key, err := loadKey()
	if err != nil {
		log.Fatal(err)
	}
	code := os.Getenv("CHAT_MODERATOR_CODE")
	if code == "" {
		code = rand.Text()
	}
	s, err := newServer(options{key: key, code: code, rooms: strings.Split(*rooms, ",")})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("\n  The chat is at  http://%s\n  Moderators log in with the code  %s\n\n", ln.Addr(), code)
	if err := wsx.Serve(s.app, ln, s.hub); err != nil { // until SIGINT or SIGTERM
		log.Fatal(err)
	}
}

// loadKey returns the key that signs the tokens. Without CHAT_KEY it is a new one each time: what was signed before a
// restart counts no more, and the page logs in again.
func loadKey() ([]byte, error) {
	k := []byte(os.Getenv("CHAT_KEY"))
	if len(k) == 0 {
		return newKey(), nil
	}
	if len(k) < minKey {
		return nil, fmt.Errorf("CHAT_KEY has less than %d bytes: try CHAT_KEY=$(openssl rand -hex 32)", minKey)
	}
	return k, nil
}

func newKey() []byte { return []byte(rand.Text() + rand.Text()) } // 52 letters of 5 bits
