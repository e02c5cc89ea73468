package hub

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/gomlx/go-huggingface/hub"

	"finetui/ml/safetensors"
	"finetui/ml/wholefile"
)

// listing is what the hub says about a revision of a model.
type listing struct {
	commit string
	files  []string
	url    func(file string) (string, error)
}

var (
	commitHash = regexp.MustCompile(`^[0-9a-f]{7,64}$`)
	statusCode = regexp.MustCompile(`bad status code (\d+)`)
)

// list asks the hub for a model's files. The library can neither be interrupted nor told the time, so it is left behind
// where ctx ends.
func (h Hub) list(ctx context.Context, n Name) (listing, error) {
	type answer struct {
		listing
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		a.listing, a.err = h.ask(n)
		answers <- a
	}()
	select {
	case a := <-answers:
		return a.listing, a.err
	case <-ctx.Done():
		return listing{}, ctx.Err()
	}
}

func (h Hub) ask(n Name) (listing, error) {
	own, err := os.MkdirTemp("", "finetui-hub-*") // in the cache, two processes would take the listing from each other
	if err != nil {
		return listing{}, err
	}
	defer os.RemoveAll(own)
	repo := hub.New(n.ID).WithRevision(n.Revision).WithCacheDir(own).WithEndpoint(h.Endpoint).WithAuth(h.Token)
	repo.Verbosity = 0
	if _, err := repo.FileURL(needed[0]); err != nil { // asks the hub, whatever is known from before
		if m := statusCode.FindStringSubmatch(err.Error()); m != nil {
			return listing{}, h.refused(n, m[1])
		}
		return listing{}, h.unreachable(n, err)
	}
	l := listing{commit: repo.Info().CommitHash, url: repo.FileURL}
	if !commitHash.MatchString(l.commit) {
		return l, fmt.Errorf("%s gives no commit for %s: is %s an address of a Hugging Face hub?", h.Endpoint, n.ID, h.Endpoint)
	}
	for name, err := range repo.IterFileNames() {
		if err != nil {
			return l, err
		}
		l.files = append(l.files, name)
	}
	return l, nil
}

// refused is the error for an answer that is none, by its status code.
func (h Hub) refused(n Name, status string) error {
	switch status {
	case "401", "403":
		token := "put a token of yours (" + h.Endpoint + "/settings/tokens) into HF_TOKEN"
		if h.Token != "" {
			token = "see that the token in HF_TOKEN may read it"
		}
		return fmt.Errorf("the hub does not let us read %s (status %s): there is no such model, or it is private, or its terms have to be accepted at %s/%s; %s", n.ID, status, h.Endpoint, n.ID, token)
	case "404":
		return fmt.Errorf("the hub has no model %s at revision %s (status 404): look for its name at %s", n.ID, n.Revision, h.Endpoint)
	}
	return fmt.Errorf("the hub answers with status %s for %s: try again later", status, n.ID)
}

// unreachable is the error where there is no network, or none that gets through.
func (h Hub) unreachable(n Name, err error) error {
	var cause *url.Error
	if errors.As(err, &cause) {
		err = cause.Err // without the address, and the library's account of its own files
	}
	return fmt.Errorf("%s cannot be fetched from %s (%w): try again with a network that reaches it, set HF_ENDPOINT to a mirror, or %s", n.ID, h.Endpoint, err, h.byHand(n))
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
	t := &transfer{hub: h, name: n, folder: folder, snapshot: filepath.Join(folder, "snapshots", l.commit), url: l.url, report: report}
	if err := t.bring(ctx, names); err != nil {
		return "", err
	}
	weights := []string{safetensors.SingleName}
	if !slices.Contains(l.files, safetensors.SingleName) {
		if weights, err = shards(filepath.Join(t.snapshot, safetensors.IndexName)); err != nil {
			return "", err
		}
	}
	if err := t.bring(ctx, weights); err != nil {
		return "", err
	}
	ref := filepath.Join(folder, "refs", n.Revision)
	if err := errors.Join(os.MkdirAll(filepath.Dir(ref), 0o755), wholefile.Write(ref, []byte(l.commit))); err != nil {
		return "", err
	}
	return t.snapshot, nil
}
