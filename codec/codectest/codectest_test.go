package codectest_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/codec/codectest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// named is JSON that clients have to ask for.
type named struct{ codec.Codec }

func (named) Subprotocol() string { return "named.v1" }

func TestJSON(t *testing.T) {
	codectest.Test(t, codec.JSON)
	t.Run("by its name", func(t *testing.T) { codectest.Test(t, named{codec.JSON}) })
}

// wrong is a codec with one fault.
type wrong struct {
	named
	fault string
}

// faults are those of wrong, and which part of the suite finds each.
var faults = map[string]string{
	"an error of its own": "Open", "takes two for one": "Open", "no id without a type": "ID", "an empty id": "ID",
	"a type of its own": "Append", "forgets the id": "Append", "leaves a beginning": "Append",
	"leaves everything": "Without", "decodes nothing": "Hub",
}

func (w wrong) Decode(p []byte, v any) error {
	if w.fault == "decodes nothing" {
		return nil
	}
	return w.Codec.Decode(p, v)
}

func (w wrong) Open(message []byte) (codec.Envelope, error) {
	first, _, two := bytes.Cut(message, []byte("}{"))
	if w.fault == "takes two for one" && two {
		message = append(bytes.Clone(first), '}')
	}
	e, err := w.Codec.Open(message)
	switch {
	case w.fault == "an error of its own" && err != nil:
		err = errors.New("no message")
	case w.fault == "no id without a type" && err != nil:
		e.ID = nil
	case w.fault == "an empty id" && e.ID == nil:
		e.ID = []byte{}
	}
	return e, err
}

func (w wrong) Append(b []byte, h codec.Header, v any) ([]byte, error) {
	if w.fault == "forgets the id" {
		h.ID = nil
	}
	message, err := w.Codec.Append(b, h, v)
	switch {
	case w.fault == "a type of its own" && errors.Is(err, codec.ErrOwnType):
		return w.Codec.Append(b, h, nil)
	case w.fault == "leaves a beginning" && err != nil:
		message = append(message, '{')
	}
	return message, err
}

func (w wrong) Without(message []byte, names ...string) []byte {
	if w.fault == "leaves everything" {
		return message
	}
	return w.Codec.Without(message, names...)
}

// TestFaults starts itself once for each fault, as a test that has to fail.
func TestFaults(t *testing.T) {
	const env = "CODECTEST_FAULT"
	if fault := os.Getenv(env); fault != "" {
		codectest.Test(t, wrong{named{codec.JSON}, fault})
		return
	}
	for fault, part := range faults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaults$")
			cmd.Env = append(os.Environ(), env+"="+fault)
			if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "--- FAIL: TestFaults/"+part+" ") {
				t.Errorf("not found: %v\n%s", err, out)
			}
		})
	}
}
