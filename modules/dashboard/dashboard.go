// Package dashboard is the live page, which a browser shows at the server's address. It owns the page's assets and the few
// endpoints that only the page needs. Everything else the page takes from the API, with the rights of its user.
//
// The page is plain ES modules beneath web, which need no build: package bundle links them when the page is first asked for, and
// package assets serves them.
package dashboard

import (
	"embed"
	"io/fs"

	"telltale/modules/dashboard/assets"
)

//go:embed web/index.html web/style/*.css web/js web/static web/vendor/*.js web/vendor/*.css
var embedded embed.FS

// NewPage makes the page of the files that are embedded.
func NewPage() (*assets.Page, error) {
	files, err := fs.Sub(embedded, "web")
	if err != nil {
		return nil, err
	}
	return assets.New(files)
}
