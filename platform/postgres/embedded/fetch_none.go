//go:build nodownload

package embedded

import (
	"context"
	"fmt"
)

// fetchPrograms says that this build downloads nothing. It is that of the image, which has no linker and no second account to
// run PostgreSQL with.
func (s *Server) fetchPrograms(_ context.Context, wanted int) (programs, error) {
	if wanted != 0 {
		return programs{}, fmt.Errorf("the cluster in %s is of PostgreSQL %d, and this build downloads none: install that version", s.clusterDir(), wanted)
	}
	return programs{}, fmt.Errorf("no PostgreSQL programs that can be used are installed (looked on PATH and in %v), and this build downloads none: "+
		"set DB_HOST to use a server, or install PostgreSQL %d or later", programFolders, minMajor)
}
