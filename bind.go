package wsx

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/hub"
)

// Binder makes a value of a request, for [Bound]. It runs once for each handshake that is about to succeed; its error
// is a 400, and its text stays out of the answer. The value must hold nothing of the request that is not copied:
// fasthttp uses that memory again. [BindTo] makes one that takes care of it.
type Binder func(c *fiber.Ctx) (any, error)

// boundSlot is where a bound value is among the locals of a connection.
const boundSlot = "github.com/fiberwsx/wsx.bound"

// sourceOf is a part of the request that Fiber has a parser for; its name is that of the tag.
type sourceOf struct {
	tag   string
	what  string // for the log
	parse func(c *fiber.Ctx, out any) error
}

var bindSources = []sourceOf{
	{"params", "parameters of the path", (*fiber.Ctx).ParamsParser},
	{"query", "parameters of the query", (*fiber.Ctx).QueryParser},
	{"reqHeader", "header", (*fiber.Ctx).ReqHeaderParser},
	{"cookie", "cookies", (*fiber.Ctx).CookieParser},
}

// BindTo returns a Binder that fills a T, a struct, by Fiber's own parsers, which know the tags params, query,
// reqHeader and cookie, each with the option "required":
//
//	type RoomParams struct {
//		Room  string `params:"room"`
//		Since int64  `query:"since"`
//	}
//
// A field is filled from the source that its tag names and from no other: a query cannot set what is tagged params.
// Parameters of the path are unescaped, as [hub.Conn.Params] has them. Every string of the result is a copy, in slices,
// maps, pointers and structs too; unexported parts of a type are reached only by its own UnmarshalText, which copies.
//
// It panics when T is not a struct, when no field has such a tag, when one has two or is unexported, and when tags
// stand behind an embedded pointer.
func BindTo[T any]() Binder {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("wsx: BindTo needs a struct, and %v is none", t))
	}
	used := make(map[string]bool)
	if err := tagsOf(t, used); err != nil {
		panic(fmt.Sprintf("wsx: BindTo[%v]: %v", t, err))
	}
	if len(used) == 0 {
		panic(fmt.Sprintf("wsx: BindTo[%v]: no field has a tag; write for example `query:\"since\"`", t))
	}
	return func(c *fiber.Ctx) (any, error) {
		var v T
		for _, source := range bindSources {
			if !used[source.tag] {
				continue
			}
			var parsed T
			if err := source.fill(c, &parsed, reflect.ValueOf(&parsed).Elem(), reflect.ValueOf(&v).Elem()); err != nil {
				return nil, err
			}
		}
		return v, nil
	}
}

// Bound returns what Config.Bind has made of the request that became c. False: c has nothing of that type.
func Bound[T any](c *hub.Conn) (v T, ok bool) {
	v, ok = c.Local(boundSlot).(T)
	return v, ok
}

// fill parses into out, and copies the fields that have the source's tag. The error of the parser is not passed on: it
// may hold what the client has sent, a cookie for example.
func (s sourceOf) fill(c *fiber.Ctx, out any, from, to reflect.Value) (err error) {
	defer func() {
		if recover() != nil { // a converter's; its words may be the client's too
			err = errors.New("a parser crashed on the " + s.what)
		}
	}()
	if s.parse(c, out) != nil {
		return errors.New("the " + s.what + " do not fit")
	}
	convert := cloned
	if s.tag == "params" {
		convert = unescaped
	}
	return s.take(from, to, convert)
}

// take moves the fields with the tag from one struct to another.
func (s sourceOf) take(from, to reflect.Value, convert func(string) (string, error)) error {
	t := from.Type()
	for i := range t.NumField() {
		field := t.Field(i)
		if _, ok := field.Tag.Lookup(s.tag); ok {
			to.Field(i).Set(from.Field(i))
			if err := detach(to.Field(i), convert); err != nil {
				return errors.New("the " + s.what + " are not valid text")
			}
		} else if nests(field) {
			if err := s.take(from.Field(i), to.Field(i), convert); err != nil {
				return err
			}
		}
	}
	return nil
}

// tagsOf collects the tags of a struct and of those in it.
func tagsOf(t reflect.Type, used map[string]bool) error {
	for i := range t.NumField() {
		field := t.Field(i)
		n := 0
		for _, source := range bindSources {
			if _, ok := field.Tag.Lookup(source.tag); ok {
				used[source.tag] = true
				n++
			}
		}
		switch {
		case n > 1:
			return fmt.Errorf("the field %s has two tags; a value has one place to come from", field.Name)
		case n == 1 && !field.IsExported():
			return fmt.Errorf("the field %s is unexported; nothing can be written there", field.Name)
		case n == 0 && field.Anonymous && field.Type.Kind() == reflect.Pointer:
			return fmt.Errorf("the field %s is an embedded pointer; embed the struct itself", field.Name)
		case n == 0 && nests(field):
			if err := tagsOf(field.Type, used); err != nil {
				return err
			}
		}
	}
	return nil
}

// nests reports whether the fields of a field count as those of its struct.
func nests(field reflect.StructField) bool {
	return field.Type.Kind() == reflect.Struct && field.IsExported()
}

func cloned(s string) (string, error) { return strings.Clone(s), nil }

// unescaped does what [routeParams] does.
func unescaped(s string) (string, error) {
	v, err := url.PathUnescape(s)
	if err != nil || !utf8.ValidString(v) || strings.ContainsFunc(v, isControl) {
		return "", errors.New("not valid")
	}
	return strings.Clone(v), nil
}

// detach replaces every string in v, which can be set, by what convert makes of it. Values that were parsed hold no
// cycles.
func detach(v reflect.Value, convert func(string) (string, error)) error {
	switch v.Kind() {
	case reflect.String:
		s, err := convert(v.String())
		v.SetString(s)
		return err
	case reflect.Pointer:
		if !v.IsNil() {
			return detach(v.Elem(), convert)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				if err := detach(f, convert); err != nil {
					return err
				}
			}
		}
	case reflect.Slice, reflect.Array:
		return detachAll(v, convert)
	case reflect.Map:
		return detachMap(v, convert)
	case reflect.Interface:
		return detachInterface(v, convert)
	}
	return nil
}

func detachAll(v reflect.Value, convert func(string) (string, error)) error {
	if v.Kind() == reflect.Slice && !v.IsNil() { // one of bytes may be a string's
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(own, v)
		v.Set(own)
	}
	if kind := v.Type().Elem().Kind(); kind <= reflect.Complex128 {
		return nil
	}
	for i := range v.Len() {
		if err := detach(v.Index(i), convert); err != nil {
			return err
		}
	}
	return nil
}

func detachMap(v reflect.Value, convert func(string) (string, error)) error {
	if v.IsNil() {
		return nil
	}
	own := reflect.MakeMapWithSize(v.Type(), v.Len())
	for it := v.MapRange(); it.Next(); {
		key, value := settable(it.Key()), settable(it.Value())
		if err := errors.Join(detach(key, convert), detach(value, convert)); err != nil {
			return err
		}
		own.SetMapIndex(key, value)
	}
	v.Set(own)
	return nil
}

func detachInterface(v reflect.Value, convert func(string) (string, error)) error {
	if v.IsNil() {
		return nil
	}
	own := settable(v.Elem())
	if err := detach(own, convert); err != nil {
		return err
	}
	v.Set(own)
	return nil
}

// settable returns a copy of v that can be set.
func settable(v reflect.Value) reflect.Value {
	own := reflect.New(v.Type()).Elem()
	own.Set(v)
	return own
}
