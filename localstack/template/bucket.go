package template

import "regexp"

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

// bucketARN has neither region nor account: names of buckets are the world's.
func bucketARN(name string) string { return "arn:aws:s3:::" + name }

// readBucket reads what a bucket is. What becomes of old objects, who else may
// read them and with which key the disk is written has no effect on one machine;
// versions of objects are not kept here, so a bucket that has them is refused.
func readBucket(l *loader, r *resource, p *props) {
	p.ignore("LifecycleConfiguration", "OwnershipControls", "Tags", "LoggingConfiguration", "IntelligentTieringConfigurations")
	b := Bucket{ID: r.id, Name: l.physical(r, p.at)}
	p.value("BucketName")
	b.ARN = bucketARN(b.Name)
	if !bucketName.MatchString(b.Name) {
		p.fail("BucketName", "%q cannot be the name of a bucket", b.Name)
	}
	versions := p.object("VersioningConfiguration")
	versions.oneOf("Status", "Suspended", "Suspended")
	versions.done()
	readRules(p)
	readEncryption(p)
	readBlock(p)
	l.stack.Buckets = append(l.stack.Buckets, b)
}

// readRules checks the form of a lifecycle: a misspelt rule would keep data for ever.
func readRules(p *props) {
	c := p.object("LifecycleConfiguration")
	c.each("Rules", func(x *props) {
		x.text("Id")
		x.text("Prefix")
		x.oneOf("Status", "", "Enabled", "Disabled")
		if !x.has("Status") {
			x.need("Status")
		}
		x.whole("ExpirationInDays", 0, 1, 36_500)
		x.each("Transitions", func(t *props) {
			t.oneOf("StorageClass", "", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
			t.whole("TransitionInDays", 0, 0, 36_500)
		})
		parts := x.object("AbortIncompleteMultipartUpload")
		parts.whole("DaysAfterInitiation", 0, 1, 36_500)
		parts.done()
	})
	c.done()
}

func readEncryption(p *props) {
	p.ignore("BucketEncryption")
	c := p.object("BucketEncryption")
	c.each("ServerSideEncryptionConfiguration", func(x *props) {
		x.flag("BucketKeyEnabled", false)
		d := x.object("ServerSideEncryptionByDefault")
		d.oneOf("SSEAlgorithm", "", "AES256") // another key would need a right on it that is not judged here
		d.done()
	})
	c.done()
}

func readBlock(p *props) {
	p.ignore("PublicAccessBlockConfiguration")
	c := p.object("PublicAccessBlockConfiguration")
	for _, k := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		c.flag(k, false)
	}
	c.done()
}

// readMasterKey reads a key of KMS. Who else may use it stands in its policy, which is
// not judged here: the roles of functions are. Another kind of key is refused.
func readMasterKey(l *loader, r *resource, p *props) {
	p.ignore("KeyPolicy", "EnableKeyRotation", "RotationPeriodInDays", "PendingWindowInDays", "MultiRegion")
	for _, k := range []string{"Description", "Tags", "BypassPolicyLockoutSafetyCheck"} {
		p.value(k)
	}
	p.oneOf("KeySpec", "SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT")
	p.oneOf("KeyUsage", "ENCRYPT_DECRYPT", "ENCRYPT_DECRYPT")
	p.oneOf("Origin", "AWS_KMS", "AWS_KMS")
	p.oneOf("Enabled", "true", "true")
	name := l.physical(r, p.at)
	l.stack.Keys = append(l.stack.Keys, Key{ID: r.id, Name: name, ARN: l.arn("kms", "key/"+name)})
}
