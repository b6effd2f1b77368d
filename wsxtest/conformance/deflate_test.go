package conformance_test

import (
	"bytes"
	"compress/flate"
	"io"
	"regexp"
	"strings"
)

const (
	token     = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
	extension = token + `([ \t]*;[ \t]*` + token + `([ \t]*=[ \t]*(` + token + `|"` + token + `"))?)*`
)

var (
	element = regexp.MustCompile(`^[ \t]*(` + extension + `)?[ \t]*$`)
	wanted  = map[string]*regexp.Regexp{ // what the echo accepts, and what it can do
		"server_no_context_takeover": regexp.MustCompile(`^$`),
		"client_no_context_takeover": regexp.MustCompile(`^$`),
		"server_max_window_bits":     regexp.MustCompile(`^=15$`), // what compress/flate has
		"client_max_window_bits":     regexp.MustCompile(`^(|=[89]|=1[0-5])$`),
	}
)

// negotiate answers the offers of a client; ok says whether they follow the grammar. The echo's messages are each
// compressed by themselves.
func (e echo) negotiate(lines []string) (answer string, ok bool) {
	for item := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		if !element.MatchString(item) {
			return "", false
		}
		if answer == "" && (e.compress && e.wants(item) || e.has("compression that was not asked for") && item != "") {
			answer = "permessage-deflate; client_no_context_takeover"
			if !e.has("takeover that was not wanted") {
				answer += "; server_no_context_takeover"
			}
			if _, bits, ok := strings.Cut(item, "server_max_window_bits="); ok {
				answer += "; server_max_window_bits=" + strings.Trim(strings.Split(bits, ";")[0], `" `)
			}
			if e.has("client window unasked") {
				answer += "; client_max_window_bits=15"
			}
		}
	}
	return answer, true
}

// wants reports whether e accepts an offer.
func (e echo) wants(offer string) bool {
	params := strings.Split(strings.NewReplacer(" ", "", "\t", "", `"`, "").Replace(offer), ";")
	seen := make(map[string]bool)
	for _, p := range params[1:] {
		name, value, hasValue := strings.Cut(p, "=")
		if hasValue {
			value = "=" + value
		}
		values := wanted[name]
		if values == nil && !e.has("any parameter") || values != nil && !values.MatchString(value) && !e.has("any value") && !e.has("window forgotten") ||
			seen[name] && !e.has("any repetition") {
			return false
		}
		seen[name] = true
	}
	return params[0] == "permessage-deflate"
}

// inflate puts what the message holds in its place, or returns the status of a violation.
func (t *talker) inflate() (status int) {
	p := append(t.payload, "\x00\x00\xff\xff\x01\x00\x00\xff\xff"...)
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(p)), 1<<20))
	if err != nil && !t.has("any deflate data") {
		return 1007
	}
	t.payload = out
	return 0
}

func (t *talker) deflate(p []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	_, _ = w.Write(p)
	_ = w.Flush()
	if t.has("tail not removed") {
		return b.Bytes()
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff"))
}
