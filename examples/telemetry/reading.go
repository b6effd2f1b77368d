package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A reading is one value of one metric of one device at one moment.
type reading struct {
	Device string    `json:"device"`
	Metric string    `json:"metric"`
	Value  float64   `json:"value"`
	TS     time.Time `json:"ts"` // in UTC; marshals as RFC 3339 with nanoseconds
}

// invalid is the answer to a reading that was refused. Index is its place in the message's array, 0 for a
// single one; Field is empty when the reading as a whole, or the message, could not be read.
type invalid struct {
	Type    string `json:"type"` // always "error"
	Code    string `json:"code"` // always "invalid"
	Field   string `json:"field"`
	Index   int    `json:"index"`
	Message string `json:"message"`
	More    int    `json:"more,omitempty"` // bad readings behind this one that have no answer of their own
}

const (
	maxName   = 256 // bytes in the name of a metric or a device; the subject of a token may have as many
	maxDevice = 128 // bytes in the name of a device that sends, because it names a stream too

	// maxReadings in one message is more than 64 KiB hold when they are valid.
	maxReadings = 2000
	minReading  = len(`{"metric":"a","value":1,"ts":"2006-01-02T15:04:05Z"}`)
	// maxTold is how many of the bad readings in a message are answered one by one: the answers to a batch of garbage
	// would take many times its memory otherwise.
	maxTold = 20
)

// The instants that 64 bits of nanoseconds since 1970 hold.
var (
	minTS = time.Unix(0, 0)
	maxTS = time.Unix(0, 1<<63-1)
)

// decodeReadings reads a message, one reading or an array of them, and tells the good from the bad: a bad one
// does not stop the others. Of many bad ones the last that is returned counts the rest. A message that cannot be taken
// apart counts as one bad reading. Nothing that it returns aliases data.
func decodeReadings(device string, data []byte) (good []reading, bad []invalid) {
	elements, err := split(data)
	if err != nil {
		return nil, []invalid{refuse(0, fieldError{"", err})}
	}
	good = make([]reading, 0, min(len(elements), len(data)/minReading+1))
	for i, element := range elements {
		r, err := decodeReading(element)
		switch {
		case err != nil && len(bad) == maxTold:
			bad[maxTold-1].More++
			continue
		case err != nil:
			bad = append(bad, refuse(i, err))
			continue
		}
		r.Device = device
		good = append(good, r)
	}
	return good, bad
}

// countBad returns for how many readings the answers are.
func countBad(bad []invalid) (n int) {
	for _, what := range bad {
		n += 1 + what.More
	}
	return n
}

func split(data []byte) ([]json.RawMessage, error) {
	if !utf8.Valid(data) { // a binary message has not been checked yet
		return nil, errors.New("the message is not UTF-8")
	}
	data = bytes.TrimLeft(data, " \t\r\n")
	if len(data) == 0 || data[0] != '[' {
		if !json.Valid(data) {
			return nil, errors.New("the message is not JSON")
		}
		return []json.RawMessage{data}, nil
	}
	var elements []json.RawMessage
	if json.Unmarshal(data, &elements) != nil {
		return nil, errors.New("the message is not JSON")
	}
	if len(elements) > maxReadings {
		return nil, fmt.Errorf("a message holds at most %d readings", maxReadings)
	}
	return elements, nil
}

// fieldError says which field of a reading is wrong.
type fieldError struct {
	field string
	err   error
}

func (e fieldError) Error() string { return strings.TrimSpace(e.field + " " + e.err.Error()) }
func (e fieldError) Unwrap() error { return e.err }

func refuse(index int, err error) invalid {
	var fe fieldError
	errors.As(err, &fe)
	return invalid{Type: "error", Code: "invalid", Field: fe.field, Index: index, Message: err.Error()}
}

func decodeReading(data []byte) (reading, error) {
	var raw struct {
		Metric json.RawMessage `json:"metric"`
		Value  json.RawMessage `json:"value"`
		TS     json.RawMessage `json:"ts"`
	}
	if data[0] != '{' || json.Unmarshal(data, &raw) != nil { // null would pass for an empty object
		return reading{}, fieldError{"", errors.New("a reading is an object with metric, value and ts")}
	}
	var r reading
	var err error
	if r.Metric, err = parseMetric(raw.Metric); err != nil {
		return reading{}, fieldError{"metric", err}
	}
	if r.Value, err = parseValue(raw.Value); err != nil {
		return reading{}, fieldError{"value", err}
	}
	if r.TS, err = parseTS(raw.TS); err != nil {
		return reading{}, fieldError{"ts", err}
	}
	return r, nil
}

var errMissing = errors.New("is missing")

func missing(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func parseMetric(raw json.RawMessage) (string, error) {
	if missing(raw) {
		return "", errMissing
	}
	var name string
	if json.Unmarshal(raw, &name) != nil {
		return "", errors.New("must be a string")
	}
	return name, checkName(name)
}

// parseValue takes a JSON number that a 64-bit float can hold. A string with a number in it is a mistake of the
// sender and not a number.
func parseValue(raw json.RawMessage) (float64, error) {
	if missing(raw) {
		return 0, errMissing
	}
	if c := raw[0]; c != '-' && (c < '0' || c > '9') {
		return 0, errors.New("must be a number")
	}
	value, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return 0, errors.New("is too large a number")
	}
	return value, nil
}

// shapeTS is the grammar of RFC 3339, which time.Parse does not keep to: it takes a comma and a short hour.
var shapeTS = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

func parseTS(raw json.RawMessage) (time.Time, error) {
	if missing(raw) {
		return time.Time{}, errMissing
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return time.Time{}, errors.New("must be a string")
	}
	ts, err := parseTime(text)
	if err == nil && (ts.Before(minTS) || ts.After(maxTS)) {
		err = fmt.Errorf("must lie between %d and %d", minTS.UTC().Year(), maxTS.UTC().Year())
	}
	return ts, err
}

// parseTime reads RFC 3339. What is finer than a nanosecond is cut.
func parseTime(text string) (time.Time, error) {
	ts, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
	if err != nil || !shapeTS.MatchString(text) {
		return time.Time{}, errors.New("must be a time as in RFC 3339, like 2006-01-02T15:04:05.999Z")
	}
	return ts.UTC(), nil
}

// checkName says why a metric or a device may not be called so, or nil: 1 to 256 bytes that are not all blank, no
// control characters, nothing that was not Unicode before it was decoded.
func checkName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return errors.New("must not be empty")
	case len(name) > maxName:
		return fmt.Errorf("must be at most %d bytes long", maxName)
	case strings.ContainsFunc(name, func(r rune) bool { return r == utf8.RuneError || unicode.IsControl(r) }):
		return errors.New("must not contain control characters or broken Unicode")
	}
	return nil
}

// checkDevice says why a device may not send under a name, or nil.
func checkDevice(name string) error {
	switch {
	case len(name) > maxDevice:
		return fmt.Errorf("must be at most %d bytes long", maxDevice)
	case strings.HasPrefix(name, "?"): // so begin the streams of those without a token
		return errors.New("must not begin with a question mark")
	}
	return checkName(name)
}
