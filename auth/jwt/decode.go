package jwt

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// decode reads one part of a token: base64url of one JSON object whose members have different names. encoding/json
// alone would take the last of two members with one name and write U+FFFD for what is not UTF-8, and another reader
// of the same token could see another one.
func decode(part string) (map[string]any, error) {
	text, err := encoding.DecodeString(part)
	if err != nil {
		return nil, refusal{ErrMalformed, "a part is not base64url"}
	}
	if !utf8.Valid(text) || !json.Valid(text) { // from here on only the names can be wrong, or a number too large
		return nil, refusal{ErrMalformed, "a part is not JSON in UTF-8"}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if open, _ := dec.Token(); open != json.Delim('{') {
		return nil, refusal{ErrMalformed, "a part is not a JSON object"}
	}
	members := make(map[string]any)
	for dec.More() {
		name, err := dec.Token()
		var value any
		if err == nil {
			err = dec.Decode(&value)
		}
		if err != nil { // it holds the value: not passed on
			return nil, refusal{ErrMalformed, "a value that cannot be represented"}
		}
		if _, twice := members[name.(string)]; twice {
			return nil, refusal{ErrMalformed, "a member stands there twice"}
		}
		members[name.(string)] = value
	}
	return members, nil
}
