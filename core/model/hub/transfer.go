package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"finetui/core/disk"
	"finetui/core/printable"
)

// transfer brings files of one commit into the cache.
type transfer struct {
	hub              Hub
	name             Name
	folder, snapshot string
	commit           string
	report           Progress

	done, total int64 // bytes of the files at hand
}

// remote is what the hub says about a file before it sends it.
type remote struct {
	file, url string
	etag      string // names the content: SHA-256 of large files, git's SHA-1 of small ones
	size      int64
}

// bring fetches the files that the snapshot lacks.
func (t *transfer) bring(ctx context.Context, files []string) error {
	var wanted []remote
	t.done, t.total = 0, 0
	for _, file := range files {
		if _, err := os.Stat(filepath.Join(t.snapshot, file)); err == nil {
			continue
		}
		r, err := t.look(ctx, file)
		if err != nil {
			return err
		}
		wanted = append(wanted, r)
		t.total += r.size
	}
	if err := t.room(wanted); err != nil {
		return err
	}
	for _, r := range wanted {
		if err := t.blob(ctx, r); err != nil {
			return err
		}
		if err := t.link(r); err != nil {
			return err
		}
	}
	return nil
}

// room says whether the disk can take what has not come yet of these files.
func (t *transfer) room(files []remote) error {
	if len(files) == 0 {
		return nil
	}
	if err := os.MkdirAll(t.folder, 0o755); err != nil {
		return err
	}
	free, known := disk.Free(t.folder)
	if !known {
		return nil
	}
	var need int64
	for _, r := range files {
		rest := r.size
		for _, ending := range []string{"", unfinished} {
			if info, err := os.Stat(t.blobPath(r) + ending); err == nil {
				rest = max(0, r.size-info.Size())
			}
		}
		if need += rest; need < 0 || need > free { // sizes of anyone's telling can run over
			return fmt.Errorf("%s: %s is still to come up to %s, and %s are free where %s lies: make room, or set "+
				"HF_HUB_CACHE to a folder on a larger disk", t.name.ID, printable.Gigabytes(max(need, rest)), r.file,
				printable.Gigabytes(free), t.hub.Cache)
		}
	}
	return nil
}

// unfinished ends the name of a blob of which a part has come.
const unfinished = ".incomplete"

// blobPath is where the content of a file lies.
func (t *transfer) blobPath(r remote) string { return filepath.Join(t.folder, "blobs", r.etag) }

var plainTag = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)

// look asks for a file's size and content name. Large files lie elsewhere; the hub says so in the headers with which it
// sends us there, and we do not go yet.
func (t *transfer) look(ctx context.Context, file string) (remote, error) {
	url := t.hub.fileURL(t.name, t.commit, file)
	var r remote
	err := t.patiently(ctx, func() (bool, error) {
		resp, err := t.send(ctx, http.MethodHead, url, 0)
		if err != nil {
			return false, err
		}
		resp.Body.Close()
		tag := first(resp.Header.Get("X-Linked-Etag"), resp.Header.Get("ETag"))
		tag = strings.Trim(strings.TrimPrefix(tag, "W/"), `"`)
		if !plainTag.MatchString(tag) || strings.Trim(tag, ".") == "" {
			return false, final{fmt.Errorf("%s: the hub gives no content name (ETag) for %s", t.name.ID, file)}
		}
		size, err := strconv.ParseInt(first(resp.Header.Get("X-Linked-Size"), resp.Header.Get("Content-Length")), 10,
			64)
		if err != nil || size < 0 {
			return false, final{fmt.Errorf("%s: the hub does not say how large %s is", t.name.ID, file)}
		}
		r = remote{file, url, tag, size}
		return true, nil
	})
	return r, err
}

// client goes along within the hub, but stops where a HEAD would leave it.
var client = &http.Client{
	Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 20 * time.Second,
		KeepAlive: 30 * time.Second}).DialContext,
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 20 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second},
	CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.Method == http.MethodHead && r.URL.Host != via[0].URL.Host {
			return http.ErrUseLastResponse
		}
		if len(via) > 9 {
			return final{fmt.Errorf("%s sends us in a circle: is it an address of a Hugging Face hub, without a "+
				"login page or a proxy before it?", via[0].URL.Host)}
		}
		return nil
	},
}

// send makes a request for a file from a byte on, and turns answers that are none into errors.
func (t *transfer) send(ctx context.Context, method, url string, from int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, final{err}
	}
	req.Header.Set("Accept-Encoding", "identity")
	if t.hub.Token != "" {
		req.Header.Set("Authorization", "Bearer "+t.hub.Token) // net/http keeps it from other hosts
	}
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	switch code := resp.StatusCode; {
	case code < 400, code == http.StatusRequestedRangeNotSatisfiable:
		return resp, nil
	case code == http.StatusTooManyRequests || code >= 500:
		resp.Body.Close()
		return nil, busy(code)
	default:
		resp.Body.Close()
		err := t.hub.refused(t.name, strconv.Itoa(code))
		if file := path.Base(req.URL.Path); !strings.Contains(req.URL.Path, "/api/") {
			err = fmt.Errorf("%q: %w", file, err)
		}
		return nil, final{err}
	}
}

// busy is the status code of a hub that may answer later.
type busy int

func (b busy) Error() string { return fmt.Sprintf("the hub answers with status %d", int(b)) }

// final marks an error that trying again would not mend.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// attempts is how often in a row something may fail without getting further.
const attempts = 5

// firstPause is the time before the second attempt; each further one is twice as long. Tests shorten it.
var firstPause = time.Second

// patiently repeats try until it succeeds, fails for good, or
// has got nowhere too often. try says whether it got further.
func (t *transfer) patiently(ctx context.Context, try func() (further bool, err error)) error {
	pause := firstPause
	for failed := 0; ; {
		further, err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var f final
		if errors.As(err, &f) {
			return f.error
		}
		if failed++; further {
			failed, pause = 1, firstPause
		}
		if failed == attempts {
			return t.hub.unreachable(t.name, err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause *= 2
	}
}

// blob brings a file's content to blobs/ETAG. One process fetches it at a time.
func (t *transfer) blob(ctx context.Context, r remote) error {
	path := t.blobPath(r)
	locks := filepath.Join(t.hub.Cache, ".locks", filepath.Base(t.folder))
	for _, dir := range []string{filepath.Dir(path), locks} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	lock := flock.New(filepath.Join(locks, r.etag+".lock"))
	if _, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil {
		return fmt.Errorf("waiting for another process that fetches %s: %w", r.file, err)
	}
	defer lock.Unlock()
	start := t.done
	if _, err := os.Stat(path); err == nil {
		t.done += r.size
		return nil
	}
	part, err := os.OpenFile(path+unfinished, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer part.Close()
	err = t.patiently(ctx, func() (bool, error) {
		before := t.done
		err := t.receive(ctx, r, part, start)
		return t.done > before, err
	})
	if err != nil {
		return fmt.Errorf("%s, %d of %d bytes of which have come and are kept: %w", r.file, t.done-start, r.size, err)
	}
	if err := t.verify(ctx, r, part); err != nil {
		if ctx.Err() != nil { // the next call checks it
			return err
		}
		return errors.Join(err, os.Remove(part.Name()))
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}

// silence is how long a server may send nothing.
const silence = time.Minute

// receive goes on with a file from where it stands. start is what t.done was before the file.
func (t *transfer) receive(ctx context.Context, r remote, part *os.File, start int64) error {
	have, err := part.Seek(0, io.SeekEnd)
	if err != nil {
		return final{err}
	}
	if have > r.size {
		have = 0
	}
	t.done = start + have
	if have == r.size {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	resp, err := t.send(ctx, http.MethodGet, r.url, have)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if !continues(resp, have) {
		have = 0
	}
	if _, err := part.Seek(have, io.SeekStart); err != nil {
		return final{err}
	}
	if err := part.Truncate(have); err != nil {
		return final{err}
	}
	t.done = start + have
	if resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return errors.New("the hub knows another size of the file than it said")
	}
	watch := time.AfterFunc(silence, func() { cancel(fmt.Errorf("the hub sent nothing for %v", silence)) })
	defer watch.Stop()
	buffer := make([]byte, 1<<20)
	for have < r.size {
		n, err := resp.Body.Read(buffer)
		watch.Reset(silence)
		if _, err := part.Write(buffer[:n]); err != nil {
			return final{fmt.Errorf("writing %s: %w", part.Name(), err)}
		}
		have += int64(n)
		t.done = start + have
		t.report(int(t.done>>20), int(t.total>>20), "MB, "+r.file)
		switch {
		case err == io.EOF && have < r.size:
			return fmt.Errorf("the connection ended after %d of %d bytes", have, r.size)
		case err != nil && err != io.EOF:
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
	}
	return nil
}

// continues says whether an answer goes on at the byte that it was asked for; a server may send the whole file instead.
func continues(resp *http.Response, from int64) bool {
	return resp.StatusCode == http.StatusPartialContent && strings.HasPrefix(resp.Header.Get("Content-Range"),
		fmt.Sprintf("bytes %d-", from))
}

// verify holds a complete file against its content name, as far as that tells the content.
func (t *transfer) verify(ctx context.Context, r remote, part *os.File) error {
	size, err := part.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size != r.size {
		return fmt.Errorf("%s has %d bytes, the hub announced %d: try again", r.file, size, r.size)
	}
	var sum hash.Hash
	switch len(r.etag) {
	case 2 * sha256.Size:
		sum = sha256.New()
	case 2 * sha1.Size:
		sum = sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", size) // as git names contents
	default:
		return nil
	}
	if _, err := hex.DecodeString(r.etag); err != nil {
		return nil
	}
	if size > 1<<28 {
		t.report(int(t.done>>20), int(t.total>>20), "MB, checking "+r.file)
	}
	if _, err := io.Copy(sum, interruptible{ctx, io.NewSectionReader(part, 0, size)}); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != strings.ToLower(r.etag) {
		return fmt.Errorf("%s is not what the hub announced (its sum is %s, announced was %s): try again", r.file,
			got, r.etag)
	}
	return nil
}

// interruptible ends with its context.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// link makes a blob a file of the snapshot, as huggingface_hub does.
func (t *transfer) link(r remote) error {
	if err := os.MkdirAll(t.snapshot, 0o755); err != nil {
		return err
	}
	at := filepath.Join(t.snapshot, r.file)
	if err := os.Remove(at); err != nil && !errors.Is(err, os.ErrNotExist) { // a link that leads nowhere
		return err
	}
	if err := os.Symlink(filepath.Join("..", "..", "blobs", r.etag), at); err == nil {
		return nil
	}
	return os.Link(filepath.Join(t.folder, "blobs", r.etag), at) // file systems without symbolic links
}
