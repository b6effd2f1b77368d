package conformance

import (
	"cmp"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Server is the server under test.
type Server struct {
	// URL is the ws:// or wss:// address of a handler that returns each message as it came. A certificate is not
	// verified.
	URL string
	// Header holds more fields for each request, a token for example. Optional.
	Header http.Header
	// Dial connects to the server, TLS included. Optional. Default: to the host of URL.
	Dial func() (net.Conn, error)
	// Compression says that the server accepts permessage-deflate. Without, the cases check that it declines.
	Compression bool
	// MaxMessage is the longest message in bytes that the server takes, after decompression. Optional. Default: 64 KiB;
	// negative: none, then no case is about it.
	MaxMessage int
	// NoEcho says that the handler does something else with messages: only the cases without a valid message run.
	NoEcho bool
	// Patience is how long an answer may take before the case fails. Optional. Default: 5 s.
	Patience time.Duration
}

// withDefaults returns s with every 0 replaced by its default.
func (s Server) withDefaults() Server {
	s.MaxMessage = cmp.Or(s.MaxMessage, 64<<10)
	s.Patience = cmp.Or(s.Patience, 5*time.Second)
	return s
}

// takes reports whether a message of n bytes is no longer than the server's limit.
func (s Server) takes(n int) bool { return s.MaxMessage < 0 || n <= s.MaxMessage }

// cut returns as much of an ASCII text as the server takes in one message.
func (s Server) cut(text string) string {
	if s.takes(len(text)) {
		return text
	}
	return text[:s.MaxMessage]
}

// target returns the host to connect to, with its port, and the address in its parts.
func (s Server) target() (host string, u *url.URL, err error) {
	u, err = url.Parse(s.URL)
	if err != nil {
		return "", nil, err
	}
	port := "80"
	switch u.Scheme {
	case "ws":
	case "wss":
		port = "443"
	default:
		return "", nil, fmt.Errorf("conformance: Server.URL is %q; it has to begin with ws:// or wss://", s.URL)
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port)), u, nil
}

// Case is one thing that a server has to do.
type Case struct {
	// Section of RFC 6455, as "5.4", or of RFC 7692, as "7692-7.2.1".
	Section string
	// Name says what the client does, with hyphens for spaces. No two cases of a section have the same.
	Name string

	server Server
	echoes bool // it sends valid messages
	run    func(s *Server) error
}

// String returns the name of the case's subtest.
func (c Case) String() string { return c.Section + "/" + c.Name }

// Run runs the case. The error says what the server did, and what it has to do.
func (c Case) Run() error {
	if err := c.run(&c.server); err != nil {
		return fmt.Errorf("%s: %w", c.cite(), err)
	}
	return nil
}

// cite names the section with its RFC.
func (c Case) cite() string {
	if section, ok := strings.CutPrefix(c.Section, "7692-"); ok {
		return "RFC 7692, section " + section
	}
	return "RFC 6455, section " + c.Section
}

// Cases returns the cases for a server, section by section.
func Cases(s Server) iter.Seq[Case] {
	s = s.withDefaults()
	return func(yield func(Case) bool) {
		for _, c := range catalogue(&s) {
			if c.server = s; c.echoes && s.NoEcho {
				continue
			}
			if !yield(c) {
				return
			}
		}
	}
}

// catalogue returns every case there is for the server, sorted by section.
func catalogue(s *Server) []Case {
	compression := withoutCases
	if s.Compression {
		compression = func() []Case { return slices.Concat(offerCases(), deflateCases(s)) }
	}
	all := slices.Concat(
		compression(), requestCases(), refusedCases(), versionCases(), answerCases(), firstPacketCases(),
		headerCases(), lengthCases(s), maskCases(), fragmentCases(), controlCases(), closeCases(), dataAfterCloseCases(),
		textCases(), limitCases(s),
	)
	slices.SortFunc(all, func(a, b Case) int {
		return cmp.Or(compareSections(a.Section, b.Section), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// compareSections puts "5.4" before "10.4", and RFC 6455 before RFC 7692.
func compareSections(a, b string) int {
	numbers := func(section string) []int {
		var all []int
		for n := range strings.FieldsFuncSeq(section, func(r rune) bool { return r < '0' || r > '9' }) {
			i, _ := strconv.Atoi(n)
			all = append(all, i)
		}
		return all
	}
	return slices.Compare(numbers(a), numbers(b))
}

// Run holds a server to RFC 6455 and RFC 7692: it runs [Cases], each as a subtest that its section and name make up,
// and says how many there were of each section. go test shows that with -v, or when it is given no package.
func Run(t *testing.T, s Server) {
	t.Helper()
	if _, _, err := s.target(); err != nil {
		t.Fatal(err)
	}
	var sections []string
	cases := make(map[string][]Case)
	for c := range Cases(s) {
		if cases[c.Section] == nil {
			sections = append(sections, c.Section)
		}
		cases[c.Section] = append(cases[c.Section], c)
	}
	ran := make([]atomic.Int64, len(sections))
	for i, section := range sections {
		t.Run(section, func(t *testing.T) {
			for _, c := range cases[section] {
				t.Run(c.Name, func(t *testing.T) {
					t.Parallel()
					ran[i].Add(1)
					if err := c.Run(); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
	var total int64
	counts := make([]string, len(sections))
	for i, section := range sections {
		total += ran[i].Load()
		counts[i] = fmt.Sprintf("%s %d", section, ran[i].Load())
	}
	report(t, fmt.Sprintf("%s: %d cases: %s", t.Name(), total, strings.Join(counts, ", ")))
}

// report says it once, whether the tests are verbose or not.
func report(t *testing.T, line string) {
	t.Helper()
	t.Log(line)
	if !testing.Verbose() && !t.Failed() {
		fmt.Println(line)
	}
}
