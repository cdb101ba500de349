/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/err.h"
#include "appliance/base/sha256.h"

/* Makes the box's own certificate authority (see certificate.h) with GnuTLS. Keeps nothing. */

#define DAY_S 86400
#define LIFE_DAYS 3650 /* people install it in clients by hand; deleting the file replaces it */

static int permit(gnutls_x509_name_constraints_t nc, gnutls_x509_subject_alt_name_t kind, const void *p, unsigned n)
{
	unsigned char copy[32] = { 0 };
	gnutls_datum_t d = { .data = copy, .size = n };

	memcpy(copy, p, n);
	return gnutls_x509_name_constraints_add_permitted(nc, kind, &d);
}

/* Restricted to the name "sekisho" and to addresses of both families: a client that trusts it
 * cannot be shown another site's name. */
static int constrain(gnutls_x509_crt_t crt)
{
	static const unsigned char all[32] = { 0 }; /* address and mask */
	gnutls_x509_name_constraints_t nc = NULL;
	int r = gnutls_x509_name_constraints_init(&nc);

	if (r >= 0)
		r = permit(nc, GNUTLS_SAN_DNSNAME, "sekisho", 7);
	if (r >= 0)
		r = permit(nc, GNUTLS_SAN_IPADDRESS, all, 8);
	if (r >= 0)
		r = permit(nc, GNUTLS_SAN_IPADDRESS, all, 32);
	if (r >= 0)
		r = gnutls_x509_crt_set_name_constraints(crt, nc, 1);
	if (nc != NULL)
		gnutls_x509_name_constraints_deinit(nc);
	return r;
}

/* "Sekisho 1a2b3c4d", by the key: two boxes in a list of authorities can be told apart. */
static int name(gnutls_x509_crt_t crt, const unsigned char *id)
{
	char text[32] = "Sekisho ";

	hex_text(id, 4, text + 8);
	return gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, text, (unsigned)strlen(text));
}

static int fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	unsigned char serial[16], id[20];
	size_t id_size = sizeof(id);
	time_t now = time(NULL);
	int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] &= 0x7f; /* a serial number is positive (RFC 5280, 4.1.2.2) */
	if (r >= 0)
		r = gnutls_x509_crt_set_version(crt, 3);
	if (r >= 0)
		r = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	if (r >= 0) /* a clock that is a little fast must not make it invalid */
		r = gnutls_x509_crt_set_activation_time(crt, now - DAY_S);
	if (r >= 0)
		r = gnutls_x509_crt_set_expiration_time(crt, now + (time_t)LIFE_DAYS * DAY_S);
	if (r >= 0)
		r = gnutls_x509_crt_set_key(crt, key);
	if (r >= 0)
		r = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &id_size);
	if (r >= 0)
		r = name(crt, id);
	if (r >= 0)
		r = gnutls_x509_crt_set_subject_key_id(crt, id, id_size);
	if (r >= 0)
		r = gnutls_x509_crt_set_basic_constraints(crt, 1, 0);
	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN);
	if (r >= 0)
		r = constrain(crt);
	return r >= 0 ? gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) : r;
}

/* A malloc'd copy with a NUL; GnuTLS's own memory is wiped and freed. NULL: no memory. */
static char *take(gnutls_datum_t *d)
{
	char *text = d->data != NULL ? malloc((size_t)d->size + 1) : NULL;

	if (text != NULL) {
		memcpy(text, d->data, d->size);
		text[d->size] = '\0';
	}
	if (d->data != NULL)
		gnutls_memset(d->data, 0, d->size);
	gnutls_free(d->data);
	d->data = NULL;
	return text;
}

static int make(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, gnutls_datum_t *ret_key, gnutls_datum_t *ret_crt)
{
	int r = gnutls_x509_privkey_generate2(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0,
					      NULL, 0);

	if (r >= 0)
		r = fill(crt, key);
	if (r >= 0)
		r = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, ret_key);
	return r >= 0 ? gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, ret_crt) : r;
}

/* A new authority with an ECDSA P-256 key. Both texts are PEM, malloc'd and owned by the caller,
 * who wipes the key. 0 or negative errno. */
static int authority_make(char **ret_key, char **ret_certificate, struct err *e)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	gnutls_datum_t k = { 0 }, c = { 0 };
	int r = gnutls_x509_privkey_init(&key);

	if (r >= 0)
		r = gnutls_x509_crt_init(&crt);
	if (r >= 0)
		r = make(crt, key, &k, &c);
	*ret_key = take(&k);
	*ret_certificate = take(&c);
	if (crt != NULL)
		gnutls_x509_crt_deinit(crt);
	if (key != NULL)
		gnutls_x509_privkey_deinit(key);
	if (*ret_key != NULL && *ret_certificate != NULL)
		return 0;
	if (*ret_key != NULL)
		gnutls_memset(*ret_key, 0, strlen(*ret_key));
	free(*ret_key);
	free(*ret_certificate);
	*ret_key = *ret_certificate = NULL;
	r = r < 0 ? err_set(e, -EIO, "certificate: %s", gnutls_strerror(r)) : err_set(e, -ENOMEM, "certificate");
	return r < 0 ? r : -EIO;
}

#define FILE_MAX 65536u

static void wipe_free(char **text)
{
	if (*text != NULL)
		gnutls_memset(*text, 0, strlen(*text));
	free(*text);
	*text = NULL;
}

static int read_text(int dirfd, const char *name, char **ret, struct err *e)
{
	uint8_t *p = NULL;
	size_t n;
	int r = file_read(dirfd, name, FILE_MAX, &p, &n, e);

	if (r < 0)
		return r;
	if (memchr(p, 0, n) != NULL) {
		free(p);
		return err_set(e, -EBADMSG, "%s", name);
	}
	*ret = (char *)p;
	return 0;
}

static int make_certificate(int dirfd, struct secrets *s, struct err *e)
{
	int r = authority_make(&s->key, &s->certificate, e);

	/* The certificate is written last and removed first: a power cut in between leaves no
	 * certificate instead of a wrong one. */
	if (r == 0 && unlinkat(dirfd, "certificate.pem", 0) < 0 && errno != ENOENT)
		r = err_set(e, -errno, "replace certificate.pem");
	if (r == 0)
		r = atomic_write(dirfd, "key.pem", s->key, strlen(s->key), e);
	if (r == 0)
		r = atomic_write(dirfd, "certificate.pem", s->certificate, strlen(s->certificate), e);
	return r;
}

static int open_certificate(int dirfd, struct secrets *s, struct err *e)
{
	int r = read_text(dirfd, "key.pem", &s->key, e);

	if (r == -ENOENT)
		return make_certificate(dirfd, s, e);
	if (r == 0)
		r = read_text(dirfd, "certificate.pem", &s->certificate, e);
	if (r == -ENOENT) { /* the owner deleted it to get a new one: the key is replaced too */
		wipe_free(&s->key);
		return make_certificate(dirfd, s, e);
	}
	return r;
}

static int make_token(int dirfd, struct secrets *s, struct err *e)
{
	uint8_t random[TOKEN_DIGITS / 2];
	char line[TOKEN_DIGITS + 2];
	int r = gnutls_rnd(GNUTLS_RND_KEY, random, sizeof(random));

	if (r < 0)
		return err_set(e, -EIO, "token: %s", gnutls_strerror(r));
	hex_text(random, sizeof(random), s->token);
	gnutls_memset(random, 0, sizeof(random));
	memcpy(line, s->token, TOKEN_DIGITS);
	memcpy(line + TOKEN_DIGITS, "\n", 2);
	r = atomic_write(dirfd, "token", line, TOKEN_DIGITS + 1, e);
	gnutls_memset(line, 0, sizeof(line));
	return r;
}

/* Whether the error is one of the moment, which tells nothing about the file. */
static bool is_for_now(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -EINTR;
}

static void token_anew(int dirfd, struct secrets *s, struct err *e)
{
	struct err why = { 0 };

	s->is = TOKEN_ANEW;
	if (make_token(dirfd, s, &why) == 0)
		return;
	*e = why;
	s->is = TOKEN_NONE;
	gnutls_memset(s->token, 0, sizeof(s->token));
}

static int open_token(int dirfd, struct secrets *s, struct err *e)
{
	char *text = NULL;
	int r = read_text(dirfd, "token", &text, e);

	if (is_for_now(r))
		return r;
	if (r == 0 && text != NULL && token_valid(text, strlen(text))) {
		memcpy(s->token, text, TOKEN_DIGITS);
		s->token[TOKEN_DIGITS] = '\0';
	} else {
		if (r == 0)
			err_set(e, -EBADMSG, "token: not 64 hexadecimal digits");
		/* Anything that cannot be used is moved aside, also something that is no plain
		 * file. */
		if (r != -ENOENT)
			(void)file_aside(dirfd, "token");
		token_anew(dirfd, s, e);
		/* There was no token: this is the first start, or the owner deleted it to get a new
		 * one. But if a damaged one is beside it, an earlier start moved that aside and was
		 * interrupted. */
		if (r == -ENOENT && s->is == TOKEN_ANEW &&
		    faccessat(dirfd, "token.damaged", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			s->is = TOKEN_KEPT;
	}
	wipe_free(&text);
	return 0;
}

int secrets_open(int dirfd, struct secrets *ret, struct err *e)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	r = open_certificate(dirfd, ret, e);
	if (r == 0)
		r = open_token(dirfd, ret, e);
	return r;
}

void secrets_forget_key(struct secrets *s)
{
	wipe_free(&s->key);
}

void secrets_free(struct secrets *s)
{
	wipe_free(&s->key);
	free(s->certificate);
	s->certificate = NULL;
	gnutls_memset(s->token, 0, sizeof(s->token));
}
