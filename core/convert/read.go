package convert

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"finetui/core/config"
	"finetui/ml/wholefile"
)

// Read reads a file of records in a dialect and hands them on one by one; it ends with the first error of each. tokens
// counts those of an answer, which turns ms-swift's scales into weights; it may be nil where there are none. An error
// names the file and the line, or the row of an array.
func Read(path string, dialect config.Dialect, tokens Tokens, each func(Record) error) error {
	d, err := find(dialect)
	if err != nil {
		return err
	}
	file, err := wholefile.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r := reader{d: d, tokens: tokens, each: each, name: filepath.Base(path)}
	if d.lines {
		err = r.lines(file)
	} else {
		err = r.array(file)
	}
	if err == nil {
		err = r.flush()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

type reader struct {
	d      *dialect
	tokens Tokens
	each   func(Record) error
	name   string
	before *Record // not handed on yet: the next row may belong to it
}

func (r *reader) lines(in io.Reader) error {
	buffered := bufio.NewReaderSize(in, 1<<16)
	for n := 1; ; n++ {
		line, err := buffered.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := r.row(line, n); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *reader) array(in io.Reader) error {
	decoder := json.NewDecoder(in)
	if token, err := decoder.Token(); err != nil || token != json.Delim('[') {
		return fmt.Errorf("is no JSON array of rows, as %s has", r.d.name)
	}
	for n := 1; decoder.More(); n++ {
		var row json.RawMessage
		if err := decoder.Decode(&row); err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
		if err := r.row(row, n); err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("the array does not end: %w", err)
	}
	return nil
}

func (r *reader) row(raw []byte, n int) error {
	record, err := r.d.read(raw, r.tokens)
	if err != nil {
		return err
	}
	if err := record.check(); err != nil {
		return err
	}
	if r.before != nil && r.d.joins != nil && r.d.joins(r.before, record) {
		return nil
	}
	if err := r.flush(); err != nil {
		return err
	}
	if record.ID == "" {
		record.ID = fmt.Sprintf("%s#%d", r.name, n)
	}
	r.before = &record
	return nil
}

func (r *reader) flush() error {
	if r.before == nil {
		return nil
	}
	err := r.each(*r.before)
	r.before = nil
	return err
}
