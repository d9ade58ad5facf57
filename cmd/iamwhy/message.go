package main

import (
	"errors"

	"github.com/iamwhy/iamwhy/correlate"
)

// denialOf makes a denial of an error that was pasted.
func denialOf(text string) (correlate.Denial, error) {
	d := correlate.DenialFromMessage(text)
	switch {
	case d.Class != correlate.ClassDenied:
		return d, errors.New("--message: this text is no denial of AWS's authorisation; paste the whole error, from User: on")
	case len(d.Requests()) == 0 && d.Message.Layer == correlate.LayerUnknown:
		return d, errors.New("--message: the text names neither an action nor a policy; paste the whole error, from User: on")
	}
	return d, nil
}
