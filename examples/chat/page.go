package main

import (
	"embed"
	"io/fs"
	"mime"
	"path"

	"github.com/gofiber/fiber/v2"
)

//go:embed web
var web embed.FS

// policy lets the page load its own files and talk to its own server, and nothing else; no other page may frame it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// routePage adds the page and its files. What people write is never part of them; the scripts put it into the page
// as text, with textContent.
func routePage(app *fiber.App) {
	app.Get("/", asset("index.html"))
	files, err := fs.ReadDir(web, "web")
	if err != nil {
		panic(err) // the files are part of the program
	}
	for _, f := range files {
		app.Get("/"+f.Name(), asset(f.Name()))
	}
}

func asset(name string) fiber.Handler {
	data, err := web.ReadFile("web/" + name)
	if err != nil {
		panic(err) // the file is part of the program
	}
	kind := contentType(name)
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, kind)
		c.Set(fiber.HeaderContentSecurityPolicy, policy)
		c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
		c.Set(fiber.HeaderCacheControl, "no-cache") // a new version of the program has new files
		return c.Send(data)
	}
}

// contentType does not depend on what the machine has registered for a suffix.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}
