package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"finetui/core/printable"
	"finetui/ml/wholefile"
)

// listing is what the hub says about a revision of a model.
type listing struct {
	commit string
	files  []string
}

var commitHash = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// maxListing is the largest answer that a listing of files can
// be, in bytes: that of the largest models has some 100 KB.
const maxListing = 16 << 20

// listingTime is the longest that a listing may take, be it sent in ever so small pieces. Tests shorten it.
var listingTime = 2 * time.Minute

// list asks the hub for a model's files.
func (h Hub) list(ctx context.Context, n Name) (listing, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(silence, func() { cancel(fmt.Errorf("the hub sent nothing for %v", silence)) })
	defer watch.Stop()
	whole := time.AfterFunc(listingTime, func() {
		cancel(fmt.Errorf("its list of files was not complete after %v", listingTime))
	})
	defer whole.Stop()
	data, err := h.ask(ctx, n, watch)
	var f final
	switch {
	case errors.As(err, &f):
		return listing{}, f.error
	case err != nil && errors.Is(context.Cause(ctx), context.Canceled), err != nil &&
		errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return listing{}, ctx.Err()
	case err != nil && context.Cause(ctx) != nil:
		return listing{}, h.unreachable(n, context.Cause(ctx))
	case err != nil:
		return listing{}, h.unreachable(n, err)
	}
	var answer struct {
		Commit   string                       `json:"sha"`
		Siblings []struct{ Rfilename string } `json:"siblings"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return listing{}, h.unreachable(n, fmt.Errorf("what it sends is no list of files"))
	}
	if !commitHash.MatchString(answer.Commit) {
		return listing{}, fmt.Errorf("%s gives no commit for %s: is %s an address of a Hugging Face hub?", h.Endpoint,
			n.ID, h.Endpoint)
	}
	l := listing{commit: answer.Commit}
	for _, s := range answer.Siblings {
		l.files = append(l.files, s.Rfilename)
	}
	return l, nil
}

// ask gets the hub's account of a model. watch is set back with each piece that comes.
func (h Hub) ask(ctx context.Context, n Name, watch *time.Timer) ([]byte, error) {
	t := &transfer{hub: h, name: n}
	resp, err := t.send(ctx, http.MethodGet, fmt.Sprintf("%s/api/models/%s/revision/%s", h.Endpoint, n.ID, n.Revision),
		0)
	var code busy
	if errors.As(err, &code) {
		return nil, final{h.refused(n, strconv.Itoa(int(code)))}
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var data []byte
	buffer := make([]byte, 1<<16)
	for {
		k, err := resp.Body.Read(buffer)
		watch.Reset(silence)
		if data = append(data, buffer[:k]...); len(data) > maxListing {
			return nil, final{fmt.Errorf("%s sends more than %d MB as the list of the files of %s: is it an address "+
				"of a Hugging Face hub?", h.Endpoint, maxListing>>20, n.ID)}
		}
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// fileURL is the address of a file of a commit.
func (h Hub) fileURL(n Name, commit, file string) string {
	return fmt.Sprintf("%s/%s/resolve/%s/%s", h.Endpoint, n.ID, commit, url.PathEscape(file))
}

// refused is the error for an answer that is none, by its status code.
func (h Hub) refused(n Name, status string) error {
	switch status {
	case "401", "403":
		token := "put a token of yours (" + h.Endpoint + "/settings/tokens) into HF_TOKEN"
		if h.Token != "" {
			token = "see that the token in HF_TOKEN may read it"
		}
		return fmt.Errorf("the hub does not let us read %s (status %s): there is no such model, or it is private, "+
			"or its terms have to be accepted at %s/%s; %s", n.ID, status, h.Endpoint, n.ID, token)
	case "404":
		return printable.Missing("the hub has no model %s at revision %s (status 404): look for its name at %s", n.ID,
			n.Revision, h.Endpoint)
	}
	return fmt.Errorf("the hub answers with status %s for %s: try again later", status, n.ID)
}

// unreachable is the error where there is no network, or none that gets through.
func (h Hub) unreachable(n Name, err error) error {
	var cause *url.Error
	if errors.As(err, &cause) {
		err = cause.Err // without the address, and the library's account of its own files
	}
	return fmt.Errorf("%s cannot be fetched from %s (%w): try again with a network that reaches it, set HF_ENDPOINT "+
		"to a mirror, or %s", n.ID, h.Endpoint, err, h.byHand(n))
}

// fetch brings what the cache lacks of a model, the weights last, and returns its folder.
func (h Hub) fetch(ctx context.Context, n Name, report Progress) (string, error) {
	if report == nil {
		report = func(int, int, string) {}
	}
	report(0, 0, "asking the hub for "+n.ID)
	l, err := h.list(ctx, n)
	if err != nil {
		return "", err
	}
	names, err := small(n, l.files)
	if err != nil {
		return "", err
	}
	folder := h.folder(n)
	t := &transfer{hub: h, name: n, folder: folder, snapshot: filepath.Join(folder, "snapshots", l.commit),
		commit: l.commit, report: report}
	if err := t.bring(ctx, names); err != nil {
		return "", err
	}
	large, err := weightFiles(t.snapshot, func(name string) bool { return slices.Contains(l.files, name) })
	if err != nil {
		return "", err
	}
	if err := t.bring(ctx, large); err != nil {
		return "", err
	}
	ref := filepath.Join(folder, "refs", n.Revision)
	if err := errors.Join(os.MkdirAll(filepath.Dir(ref), 0o755), wholefile.Write(ref, []byte(l.commit))); err != nil {
		return "", err
	}
	return t.snapshot, nil
}
