package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/fairseat/fairseat/localstack/template"
)

func applyTable(ctx context.Context, c *dynamodb.Client, t *template.Table, expires bool) error {
	have, err := describe(ctx, c, t.Name)
	if err != nil {
		return err
	}
	want := createInput(t)
	if have == nil {
		if _, err := c.CreateTable(ctx, want); err != nil {
			return fmt.Errorf("make table %s: %w", t.Name, err)
		}
	} else if diff := difference(have, want); diff != "" {
		return fmt.Errorf("table %s exists with another %s than the template's; use an empty data folder", t.Name, diff)
	}
	if have, err = active(ctx, c, t.Name); err != nil {
		return err
	}
	if t.StreamView != "" {
		if t.StreamARN = aws.ToString(have.LatestStreamArn); t.StreamARN == "" {
			return fmt.Errorf("table %s has no stream", t.Name)
		}
	}
	if !expires {
		return nil
	}
	return applyTTL(ctx, c, t)
}

// describe returns nil for a table that does not exist.
func describe(ctx context.Context, c *dynamodb.Client, name string) (*types.TableDescription, error) {
	out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("describe table %s: %w", name, err)
	}
	return out.Table, nil
}

func active(ctx context.Context, c *dynamodb.Client, name string) (*types.TableDescription, error) {
	w := dynamodb.NewTableExistsWaiter(c, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = activeLimit/300, activeLimit/30
	})
	out, err := w.WaitForOutput(ctx, &dynamodb.DescribeTableInput{TableName: &name}, activeLimit)
	if err != nil {
		return nil, fmt.Errorf("wait for table %s: %w", name, err)
	}
	return out.Table, nil
}

func createInput(t *template.Table) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName:   &t.Name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema:   keySchema(t.Partition, t.Sort),
	}
	attrs := map[string]string{t.Partition.Name: t.Partition.Type, t.Sort.Name: t.Sort.Type}
	for _, x := range t.Indexes {
		attrs[x.Partition.Name], attrs[x.Sort.Name] = x.Partition.Type, x.Sort.Type
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &x.Name,
			KeySchema: keySchema(x.Partition, x.Sort),
			Projection: &types.Projection{
				ProjectionType:   types.ProjectionType(x.Projection),
				NonKeyAttributes: x.Include,
			},
		})
	}
	for name, typ := range attrs {
		if name != "" {
			in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
				AttributeName: &name, AttributeType: types.ScalarAttributeType(typ),
			})
		}
	}
	if t.StreamView != "" {
		in.StreamSpecification = &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(t.StreamView),
		}
	}
	return in
}

func keySchema(partition, sort template.Attribute) []types.KeySchemaElement {
	out := []types.KeySchemaElement{{AttributeName: &partition.Name, KeyType: types.KeyTypeHash}}
	if sort.Name != "" {
		out = append(out, types.KeySchemaElement{AttributeName: &sort.Name, KeyType: types.KeyTypeRange})
	}
	return out
}

// difference names what an existing table has other than wanted.
func difference(have *types.TableDescription, want *dynamodb.CreateTableInput) string {
	switch {
	case keyText(have.KeySchema, have.AttributeDefinitions) != keyText(want.KeySchema, want.AttributeDefinitions):
		return "key"
	case streamText(have.StreamSpecification) != streamText(want.StreamSpecification):
		return "stream"
	}
	var a, b []string
	for _, x := range have.GlobalSecondaryIndexes {
		a = append(a, aws.ToString(x.IndexName)+" "+keyText(x.KeySchema, have.AttributeDefinitions)+projection(x.Projection))
	}
	for _, x := range want.GlobalSecondaryIndexes {
		b = append(b, aws.ToString(x.IndexName)+" "+keyText(x.KeySchema, want.AttributeDefinitions)+projection(x.Projection))
	}
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) {
		return "set of indexes"
	}
	return ""
}

func keyText(schema []types.KeySchemaElement, attrs []types.AttributeDefinition) string {
	var b strings.Builder
	for _, k := range schema {
		for _, a := range attrs {
			if aws.ToString(a.AttributeName) == aws.ToString(k.AttributeName) {
				fmt.Fprintf(&b, "%s %s %s;", k.KeyType, *a.AttributeName, a.AttributeType)
			}
		}
	}
	return b.String()
}

func streamText(s *types.StreamSpecification) string {
	if s == nil || !aws.ToBool(s.StreamEnabled) {
		return ""
	}
	return string(s.StreamViewType)
}

func projection(p *types.Projection) string {
	if p == nil {
		return ""
	}
	names := slices.Sorted(slices.Values(p.NonKeyAttributes))
	return fmt.Sprint(p.ProjectionType, names)
}

func applyTTL(ctx context.Context, c *dynamodb.Client, t *template.Table) error {
	out, err := c.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &t.Name})
	if err != nil {
		return fmt.Errorf("time to live of %s: %w", t.Name, err)
	}
	have := ""
	if d := out.TimeToLiveDescription; d != nil && (d.TimeToLiveStatus == types.TimeToLiveStatusEnabled || d.TimeToLiveStatus == types.TimeToLiveStatusEnabling) {
		have = aws.ToString(d.AttributeName)
	}
	if have == t.TTL {
		return nil
	}
	if have != "" {
		return fmt.Errorf("table %s exists with another time to live than the template's; use an empty data folder", t.Name)
	}
	_, err = c.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &t.Name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: &t.TTL, Enabled: aws.Bool(true),
		},
	})
	if err != nil {
		return fmt.Errorf("time to live of %s: %w", t.Name, err)
	}
	return nil
}
