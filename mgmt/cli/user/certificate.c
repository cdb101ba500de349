/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/user/user.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"

#define FILE_MOST 65536u
#define RSA_LEAST 2048

static X509 *of_der(const unsigned char *p, size_t n)
{
	const unsigned char *at = p;
	X509 *x = d2i_X509(NULL, &at, (long)n);

	if (x != NULL && at != p + n) {
		X509_free(x);
		x = NULL;
	}
	return x;
}

/* The only certificate of the file and its bytes, which the caller frees. NULL: none, or several; a
 * key in the same PEM file is ignored. */
static X509 *read_one(const uint8_t *p, size_t n, unsigned char **ret_der, long *ret_n)
{
	BIO *in = BIO_new_mem_buf(p, (int)n);
	X509 *found = NULL;
	unsigned char *data;
	char *name, *header;
	unsigned count = 0;
	long size;

	*ret_der = NULL;
	while (in != NULL && PEM_read_bio(in, &name, &header, &data, &size) == 1) {
		bool certificate = strcmp(name, PEM_STRING_X509) == 0;

		OPENSSL_free(name);
		OPENSSL_free(header);
		if (certificate && count++ == 0) {
			*ret_der = data;
			*ret_n = size;
		} else {
			OPENSSL_clear_free(data, (size_t)size);
		}
	}
	BIO_free(in);
	if (count == 0 && (*ret_der = OPENSSL_memdup(p, n)) != NULL)
		*ret_n = (long)n;
	if (count <= 1 && *ret_der != NULL)
		found = of_der(*ret_der, (size_t)*ret_n);
	return found;
}

/* Whether key and signature are of kinds that the box accepts in TLS 1.3 and that are not
 * broken. */
static bool strong(X509 *x)
{
	static const char *const curves[] = { "prime256v1", "secp384r1", "secp521r1" };
	EVP_PKEY *key = X509_get0_pubkey(x);
	char curve[32] = "";

	if (key == NULL)
		return false;
	if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))
		return EVP_PKEY_get_bits(key) >= RSA_LEAST;
	if (EVP_PKEY_is_a(key, "ED25519"))
		return true;
	if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1)
		for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
			if (strcmp(curve, curves[i]) == 0)
				return true;
	return false;
}

/* A certificate that restricts its uses must include client authentication; one without
 * restrictions is accepted. */
static bool for_clients(X509 *x)
{
	uint32_t flags = X509_get_extension_flags(x);

	return (flags & EXFLAG_INVALID) == 0 &&
	       ((flags & EXFLAG_XKUSAGE) == 0 || (X509_get_extended_key_usage(x) & XKU_SSL_CLIENT) != 0) &&
	       ((flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE) != 0);
}

static int refuse(struct cli *c, const char *path, X509 *x)
{
	if (X509_cmp_current_time(X509_get0_notAfter(x)) <= 0)
		return cli_fail(c, CLI_INVALID, M_CERTIFICATE_EXPIRED, path);
	if (X509_cmp_current_time(X509_get0_notBefore(x)) >= 0)
		return cli_fail(c, CLI_INVALID, M_CERTIFICATE_EARLY, path);
	if (!strong(x))
		return cli_fail(c, CLI_INVALID, M_CERTIFICATE_WEAK, path);
	return for_clients(x) ? CLI_YES : cli_fail(c, CLI_INVALID, M_CERTIFICATE_PURPOSE, path);
}

static void digest_text(const void *p, size_t n, char out[CERTIFICATE_DIGITS + 1])
{
	uint8_t digest[CERTIFICATE_DIGITS / 2];

	sha256(p, n, digest);
	hex_text(digest, sizeof(digest), out);
}

static bool note(X509 *x, const unsigned char *der, long n, struct certificate_facts *ret)
{
	unsigned char *spki = NULL;
	int n_spki = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
	struct tm end;

	if (n_spki <= 0 || ASN1_TIME_to_tm(X509_get0_notAfter(x), &end) != 1)
		return false;
	digest_text(der, (size_t)n, ret->digest);
	digest_text(spki, (size_t)n_spki, ret->public);
	ret->until = (unsigned long long)timegm(&end);
	OPENSSL_free(spki);
	return true;
}

int certificate_facts(struct cli *c, const char *path, struct certificate_facts *ret)
{
	unsigned char *der = NULL;
	struct err e = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;
	long n_der = 0;
	X509 *x;
	int r = file_read(AT_FDCWD, path, FILE_MOST, &p, &n, &e);

	if (r < 0)
		return cli_fail_file(c, CLI_CANNOT, path, -r);
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
	x = read_one(p, n, &der, &n_der);
	if (x == NULL)
		r = cli_fail(c, CLI_INVALID, M_CERTIFICATE_NONE, path);
	else
		r = refuse(c, path, x);
	if (r == CLI_YES && !note(x, der, n_der, ret))
		r = cli_fail(c, CLI_INVALID, M_CERTIFICATE_NONE, path);
	X509_free(x);
	OPENSSL_free(der);
	explicit_bzero(p, n); /* the file may have contained a private key */
	free(p);
	return r;
}
