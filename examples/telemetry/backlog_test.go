package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// both runs a test on a backlog in memory and on one with a spool. again is the same one after a crash of the agent;
// in memory it just goes on.
func both(t *testing.T, test func(t *testing.T, b *backlog, again func() *backlog)) {
	t.Run("memory", func(t *testing.T) {
		b := newBacklog()
		test(t, b, func() *backlog { return b })
	})
	t.Run("spool", func(t *testing.T) {
		dir := t.TempDir()
		open := func() *backlog {
			b, cut, err := openBacklog(dir, "dev/1")
			if err != nil || cut != 0 {
				t.Fatal(cut, err)
			}
			t.Cleanup(b.close)
			return b
		}
		test(t, open(), open)
	})
}

func putAll(t *testing.T, b *backlog, first, last int) {
	t.Helper()
	for i := first; i <= last; i++ {
		if err := b.put(fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
}

func greet(t *testing.T, b *backlog, hello note) {
	t.Helper()
	if err := b.greet(hello); err != nil {
		t.Fatal(err)
	}
}

// sent returns what the backlog sends now.
func sent(b *backlog) string {
	var all []string
	for body, _ := b.next(); body != nil; body, _ = b.next() {
		all = append(all, string(body))
	}
	return strings.Join(all, " ")
}

func wantSent(t *testing.T, b *backlog, want string) {
	t.Helper()
	if got := sent(b); got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestBacklogOverReconnects(t *testing.T) {
	for _, tt := range []struct {
		name  string
		hello note
		want  string // of 3 to 6, of which 4 and 5 were sent; 1 and 2 are acknowledged, 101 was the first number
	}{
		{"nothing new arrived", note{Resumed: true, Next: 103}, "3 4 5 6"},
		{"some arrived", note{Resumed: true, Next: 105}, "5 6"},
		{"all arrived", note{Resumed: true, Next: 107}, ""},
		{"it is not known", note{Resumed: false, Next: 1}, "3 4 5 6"},
		{"it is not known, by chance at the same number", note{Resumed: false, Next: 105}, "3 4 5 6"},
		{"an older database", note{Resumed: true, Next: 51}, "3 4 5 6"},
		{"somebody else's numbers", note{Resumed: true, Next: 108}, "3 4 5 6"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, b *backlog, again func() *backlog) {
				greet(t, b, note{Next: 101})
				putAll(t, b, 1, 5)
				wantSent(t, b, "1 2 3 4 5")
				b.settle(102)
				putAll(t, b, 6, 6)
				b = again()
				greet(t, b, tt.hello)
				putAll(t, b, 7, 7)
				wantSent(t, b, strings.TrimSpace(tt.want+" 7"))
				b.settle(b.base + uint64(len(b.kept)) - 1) // all, by their new numbers
				b = again()
				greet(t, b, note{Resumed: true, Next: b.base})
				wantSent(t, b, "")
			})
		})
	}
}

func TestBacklogHonoursTheWindow(t *testing.T) {
	both(t, func(t *testing.T, b *backlog, _ func() *backlog) {
		putAll(t, b, 1, 9)
		greet(t, b, note{Next: 1, Window: 3})
		wantSent(t, b, "1 2 3")
		b.settle(2)
		wantSent(t, b, "4 5")
		b.settle(99) // was never sent
		b.settle(1)  // is long settled
		wantSent(t, b, "")
		greet(t, b, note{Resumed: true, Next: 6, WindowBytes: 2})
		wantSent(t, b, "6 7")
		putAll(t, b, 1000, 1000)
		b.settle(9)
		b.settle(7)
		wantSent(t, b, "8 9")
		b.settle(9)
		wantSent(t, b, "1000") // longer than the window, alone
	})
}

func TestBacklogHeedsNacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBacklog()
		greet(t, b, note{Next: 1})
		putAll(t, b, 1, 4)
		wantSent(t, b, "1 2 3 4")
		for range 2 { // the second says nothing new
			for _, n := range []note{{Seq: 2, Retry: true, AfterMS: 500}, {Seq: 3}, {Seq: 9}, {Seq: 0}} {
				if err := b.refuse(n); err != nil {
					t.Error(err)
				}
			}
		}
		if _, wait := b.next(); wait != 500*time.Millisecond {
			t.Errorf("waits %v, want 500ms", wait)
		}
		time.Sleep(500 * time.Millisecond)
		wantSent(t, b, "2") // as number 5
		b.settle(3)
		greet(t, b, note{Resumed: true, Next: 4})
		wantSent(t, b, "4 2")
		b.settle(5)
		if lost, unfit := b.takeLost(); lost != 0 || unfit != 1 || len(b.kept) != 0 {
			t.Errorf("%d lost, %d refused, %d kept; want 1 refused", lost, unfit, len(b.kept))
		}
	})
}

// A server that has forgotten the stream gets again what no nack has settled.
func TestBacklogResendsNothingThatIsSettled(t *testing.T) {
	b := newBacklog()
	greet(t, b, note{Next: 1})
	putAll(t, b, 1, 4)
	sent(b)
	if err := b.refuse(note{Seq: 2}); err != nil {
		t.Fatal(err)
	}
	greet(t, b, note{Next: 1})
	wantSent(t, b, "1 3 4")
}

func TestBacklogKeepsTheNewest(t *testing.T) {
	for name, connected := range map[string]bool{"unsent": false, "sent": true} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, b *backlog, again func() *backlog) {
				greet(t, b, note{Next: 1})
				b.most = 4
				if connected {
					putAll(t, b, 1, 2)
					wantSent(t, b, "1 2")
					putAll(t, b, 3, 6)
				} else {
					putAll(t, b, 1, 6)
				}
				if lost, _ := b.takeLost(); lost != 2 {
					t.Errorf("%d lost, want 2", lost)
				}
				wantSent(t, b, "3 4 5 6")
				want := map[bool]uint64{true: 3, false: 1}[connected] // a number is used up when it was sent
				b.settle(want)
				b = again()
				greet(t, b, note{Resumed: true, Next: want + 1})
				wantSent(t, b, "4 5 6")
			})
		})
	}
}

// A line that a crash has torn is cut: what it says was never sent.
func TestSpoolAfterACrash(t *testing.T) {
	for name, tear := range map[string]string{
		"torn": `{"m":[{"metr`, "no end": `{"m":7}`, "zeros": "\x00\x00\x00\n", "nonsense": `{"drop":99}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b, _, err := openBacklog(dir, "dev1")
			if err != nil {
				t.Fatal(err)
			}
			greet(t, b, note{Next: 5})
			putAll(t, b, 1, 3)
			sent(b)
			b.settle(5)
			b.close()
			f, err := os.OpenFile(filepath.Join(dir, "dev1.spool"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = f.WriteString(tear)
			_ = f.Close()
			b, cut, err := openBacklog(dir, "dev1")
			if err != nil || cut != len(tear) {
				t.Fatalf("%d bytes cut (%v), want %d", cut, err, len(tear))
			}
			defer b.close()
			putAll(t, b, 4, 4)
			greet(t, b, note{Resumed: true, Next: 7})
			wantSent(t, b, "3 4")
		})
	}
}

// What the spool cannot take is lost and counted, and the numbers of the others stay right.
func TestSpoolThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	b, _, err := openBacklog(dir, "dev1")
	if err != nil {
		t.Fatal(err)
	}
	greet(t, b, note{Next: 1})
	putAll(t, b, 1, 3)
	wantSent(t, b, "1 2 3")
	b.spool.close()
	if err := b.put([]byte("4")); err == nil {
		t.Error("a closed file has taken a message")
	}
	b.settle(1) // this is not written either
	if b.spool.file, err = os.OpenFile(b.spool.path, os.O_RDWR, 0); err != nil {
		t.Fatal(err)
	}
	putAll(t, b, 5, 5)
	b.settle(2)
	b.close()
	b, _, err = openBacklog(dir, "dev1")
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	greet(t, b, note{Resumed: true, Next: 4})
	wantSent(t, b, "5")
}

func TestSpoolStaysSmall(t *testing.T) {
	b, _, err := openBacklog(t.TempDir(), strings.Repeat("日", 42))
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	greet(t, b, note{Next: 1})
	body := []byte(`"` + strings.Repeat("x", 50_000) + `"`)
	for i := range uint64(60) {
		if err := b.put(body); err != nil {
			t.Fatal(err)
		}
		b.next()
		b.settle(i + 1)
	}
	if b.spool.end > 2*compactFrom {
		t.Errorf("the file has %d bytes after 3 MB, with nothing kept", b.spool.end)
	}
}
