package conformance_test

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx/wsxtest/conformance"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRight runs every case against a server that is right.
func TestRight(t *testing.T) {
	t.Run("without-compression", func(t *testing.T) {
		conformance.Run(t, conformance.Server{URL: echo{}.serve(t)})
	})
	t.Run("with-compression", func(t *testing.T) {
		conformance.Run(t, conformance.Server{URL: echo{compress: true}.serve(t), Compression: true})
	})
}

// wrong are servers that do one thing wrong, and a case that each of them fails.
var wrong = map[string]string{
	"any Connection":                     "4.2.1/Connection-keep-alive",
	"any version":                        "4.4/version-8",
	"version not named":                  "4.4/version-14",
	"any key":                            "4.2.1/key-of-15-bytes",
	"any grammar":                        "9.1/extensions-with-two-semicolons",
	"wrong accept":                       "4.2.2/key-of-the-RFC",
	"subprotocol that was not offered":   "4.2.2/answer",
	"dropped":                            "5.4/continuation-without-start",
	"always 1002":                        "8.1/invalid-bytes-FF",
	"text after close":                   "7.1.1/server-ends-the-connection-first",
	"left open":                          "7.1.1/server-ends-the-connection-first",
	"echoes lost":                        "5.2/RSV2-after-a-text",
	"long lengths":                       "5.2/text-of-7",
	"any reserved bit":                   "5.2/RSV-010-on-text",
	"any opcode":                         "5.2/opcode-3",
	"unmasked":                           "5.1/unmasked-text-with-payload",
	"long control frames":                "5.5/ping-of-126",
	"control frames in fragments":        "5.5/ping-without-FIN",
	"lengths that are not minimal":       "5.2/length-125-in-2-bytes",
	"any order":                          "5.4/text-within-a-message",
	"no limit":                           "7.4.1/text-one-over-the-limit",
	"limit when all is there":            "7.4.1/text-one-over-the-limit-by-its-header",
	"any text":                           "8.1/invalid-continuation-80",
	"text checked at its end":            "8.1/invalid-bytes-FE-in-an-unfinished-frame",
	"surrogates":                         "8.1/invalid-surrogate-EDA080",
	"echo of the wrong kind":             "5.2/text-of-1",
	"echo cut":                           "5.2/binary-of-127",
	"empty pongs":                        "5.5.2/ping-of-1",
	"no pongs":                           "5.5.2/ping-of-0",
	"no pongs within a message":          "5.4/ping-between-fragments-is-answered-before-the-message",
	"any close":                          "7.4.1/close-with-1005",
	"close not answered":                 "7.4.1/close-with-1001",
	"close answered with 1000":           "7.4.2/close-with-3999",
	"answers after close":                "5.5.1/ping-after-close",
	"compression that was not asked for": "7692-5/declines-plain",
}

// wrongCompression are the same for servers that compress.
var wrongCompression = map[string]string{
	"RSV1 anywhere":                "7692-6.1/RSV1-on-ping",
	"takeover that was not wanted": "7692-7.1.1.1/server_no_context_takeover",
	"client window unasked":        "7692-7.1/plain",
	"any parameter":                "7692-7.1/unknown-parameter",
	"any value":                    "7692-7.1.2/client_max_window_bits-7",
	"any repetition":               "7692-7.1/client_max_window_bits-twice",
	"any deflate data":             "7692-7.2.2/corrupt-block-of-type-3",
	"window forgotten":             "7692-7.1.2.1/server_max_window_bits-9",
	"tail not removed":             "7692-7.2.3.1/one-block",
	"no limit":                     "7.4.1/bomb",
	"any text":                     "8.1/compressed-bytes-FF",
}

// TestWrong shows that the cases find what is wrong with a server, and find nothing wrong with what they are not about.
func TestWrong(t *testing.T) {
	for _, compress := range []bool{false, true} {
		faults := wrong
		if compress {
			faults = wrongCompression
		}
		for fault, name := range faults {
			t.Run(fault, func(t *testing.T) {
				t.Parallel()
				e := echo{faults: map[string]bool{fault: true}, compress: compress}
				c := find(t, name, conformance.Server{URL: e.serve(t), Compression: compress, Patience: 300 * time.Millisecond})
				err := c.Run()
				if err == nil {
					t.Fatalf("%s passed", name)
				}
				t.Log(err)
				if section := c.Section[strings.LastIndex(c.Section, "-")+1:]; !strings.Contains(err.Error(), "section "+section+":") {
					t.Errorf("the error does not name the section: %v", err)
				}
			})
		}
	}
}

// TestNoEcho runs what is left against a handler that says nothing, and one that has something to say by itself.
func TestNoEcho(t *testing.T) {
	for _, fault := range []string{"silent", "greets"} {
		t.Run(fault, func(t *testing.T) {
			e := echo{faults: map[string]bool{fault: true}, compress: true}
			conformance.Run(t, conformance.Server{URL: e.serve(t), Compression: true, NoEcho: true})
		})
	}
}

// find returns one case by its name.
func find(t *testing.T, name string, s conformance.Server) conformance.Case {
	t.Helper()
	for c := range conformance.Cases(s) {
		if c.String() == name {
			return c
		}
	}
	t.Fatalf("there is no case %s", name)
	return conformance.Case{}
}

// TestCases holds the list itself together.
func TestCases(t *testing.T) {
	for _, s := range []conformance.Server{{}, {Compression: true}} {
		seen := make(map[string]bool)
		for c := range conformance.Cases(s) {
			if seen[c.String()] {
				t.Errorf("there are two cases %s", c)
			}
			if strings.ContainsAny(c.Name, " /#") || c.Section == "" {
				t.Errorf("%q makes no name of a subtest", c)
			}
			seen[c.String()] = true
		}
		if len(seen) < 420 {
			t.Errorf("there are %d cases, want 420 at least", len(seen))
		}
	}
}
