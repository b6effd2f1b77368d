// Package contrib_test drives the three programs below it over sockets.
package contrib_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// programs builds all three and returns their folder.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "./before", "./bridge", "./after")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// start runs a program and returns it with its address.
func start(t *testing.T, program string) (cmd *exec.Cmd, addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = ln.Addr().String()
	_ = ln.Close()
	cmd = exec.Command(program, "-addr", addr)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			_ = nc.Close()
			return cmd, addr
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// visitor is a client of the chat.
type visitor struct {
	*websocket.Conn
	t    *testing.T
	name string
}

// visit enters a room and says so, which everybody hears who is there already.
func visit(t *testing.T, addr, room, name string) visitor {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), "ws://"+addr+"/ws/"+room+"?name="+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	v := visitor{c, t, name}
	v.say("hello")
	v.hears(name + ": hello")
	return v
}

func (v visitor) say(text string) {
	v.t.Helper()
	if err := v.Write(v.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		v.t.Fatal(err)
	}
}

func (v visitor) hears(want string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 20*time.Second)
	defer cancel()
	if _, got, err := v.Read(ctx); err != nil || string(got) != want {
		v.t.Fatalf("%s hears %q, %v, want %q", v.name, got, err, want)
	}
}

// answer returns the status of the answer to an attempt to connect.
func answer(t *testing.T, addr string, header http.Header) int {
	t.Helper()
	c, resp, err := websocket.Dial(t.Context(), "ws://"+addr+"/ws/blue", &websocket.DialOptions{HTTPHeader: header})
	if err == nil {
		_ = c.CloseNow()
	}
	if resp == nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func TestEachStepIsTheSameChat(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM on Windows")
	}
	dir := programs(t)
	for _, tt := range []struct {
		program string
		origin  int                  // what another site's page is answered
		end     websocket.StatusCode // what clients see on SIGTERM; -1 for a cut
	}{
		{"before", http.StatusSwitchingProtocols, -1},
		{"bridge", http.StatusForbidden, websocket.StatusGoingAway},
		{"after", http.StatusForbidden, websocket.StatusGoingAway},
	} {
		t.Run(tt.program, func(t *testing.T) {
			cmd, addr := start(t, filepath.Join(dir, tt.program))
			ann := visit(t, addr, "blue", "ann")
			bob := visit(t, addr, "blue", "bob")
			ann.hears("bob: hello")
			red := visit(t, addr, "red", "cyd")
			ann.say("blue only")
			ann.hears("ann: blue only")
			bob.hears("ann: blue only")
			red.say("red only")
			red.hears("cyd: red only")
			_ = bob.Close(websocket.StatusNormalClosure, "")
			ann.say("alone")
			ann.hears("ann: alone")

			if got := answer(t, addr, http.Header{"Origin": {"https://evil.example"}}); got != tt.origin {
				t.Errorf("another site's page is answered %d, want %d", got, tt.origin)
			}
			plain, err := http.Get("http://" + addr + "/ws/blue") //nolint:noctx // the process ends with the test
			if err != nil {
				t.Fatal(err)
			}
			_ = plain.Body.Close()
			if plain.StatusCode != http.StatusUpgradeRequired {
				t.Errorf("a plain request is answered %d, want 426", plain.StatusCode)
			}

			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if _, _, err := ann.Read(ctx); websocket.CloseStatus(err) != tt.end {
				t.Errorf("at the end: %v, want %d", err, tt.end)
			}
			if err := cmd.Wait(); (err == nil) != (tt.end == websocket.StatusGoingAway) {
				t.Errorf("the program ended with %v", err)
			}
		})
	}
}
