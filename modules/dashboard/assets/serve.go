package assets

import (
	"crypto/sha256"
	"encoding/hex"
	"path"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
)

// file is what is sent: the bytes, and what they are when compressed, nil where that saves nothing.
type file struct {
	media         string
	etag          string // weak, because the bytes may travel compressed
	plain, zipped []byte
}

// forever is for what its name says the content of.
const forever = "public, max-age=31536000, immutable"

// media are the types of the files that the page may have. The table of the machine is not asked: it may say anything.
var media = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2",
}

// newFile returns a file whose content has the hash.
func newFile(name, hash string, content []byte) file {
	f := file{media: media[path.Ext(name)], etag: `W/"` + hash + `"`, plain: content}
	if zipped := httpserver.Gzip(content); len(zipped) < len(content)*9/10 {
		f.zipped = zipped
	}
	return f
}

// hashOf returns enough of the content's hash to tell it from any other.
func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

// workerPolicy is that of the shared worker, which has the policy of its own script and not the page's: it asks this server. Where
// a script is not a worker's, a policy of its own says nothing.
const workerPolicy = "default-src 'none'; connect-src 'self'"

// Index answers with the page, whatever its path.
func (p *Page) Index(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentSecurityPolicy, p.policy)
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set(fiber.HeaderCacheControl, "no-cache") // ask again, but with the ETag
	return p.index.send(c)
}

// Asset answers with the asset whose name is the path's parameter "name".
func (p *Page) Asset(c *fiber.Ctx) error {
	f, ok := p.files[c.Params("name")]
	if !ok {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderCacheControl, forever)
	if f.media == media[".js"] {
		c.Set(fiber.HeaderContentSecurityPolicy, workerPolicy)
	}
	return f.send(c)
}

func (f file) send(c *fiber.Ctx) error {
	c.Vary(fiber.HeaderAcceptEncoding)
	c.Set(fiber.HeaderETag, f.etag)
	if !httpapi.NoneMatch(c, f.etag) {
		return c.Status(fiber.StatusNotModified).Send(nil)
	}
	c.Set(fiber.HeaderContentType, f.media)
	if f.zipped != nil && httpserver.UseGzip(c) {
		return c.Send(f.zipped)
	}
	return c.Send(f.plain)
}
