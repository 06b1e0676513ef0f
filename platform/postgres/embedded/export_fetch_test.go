//go:build !nodownload

package embedded

// Download fetches programs into dir.
var Download = download

// DownloadVersion is the version that a new cluster gets.
var DownloadVersion = downloads[defaultDownload]
