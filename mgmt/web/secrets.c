/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/err.h"
#include "appliance/base/sha256.h"
#include "mgmt/web/certificate.h"

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
	int r = certificate_make(&s->key, &s->certificate, e);

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

	if (file_for_now(r))
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

bool token_valid(const char *text, size_t n)
{
	if (n == TOKEN_DIGITS + 1 && text[TOKEN_DIGITS] == '\n')
		n--;
	if (n != TOKEN_DIGITS)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
			return false;
	return true;
}

bool token_matches(const char *header, const char token[TOKEN_DIGITS + 1])
{
	static const char scheme[] = "Bearer ";
	volatile unsigned char differ = 0;

	if (strncasecmp(header, scheme, sizeof(scheme) - 1) != 0)
		return false;
	header += sizeof(scheme) - 1;
	if (token[0] == '\0') /* there is no token */
		return false;
	if (strnlen(header, TOKEN_DIGITS + 1) != TOKEN_DIGITS) /* the length is no secret */
		return false;
	for (size_t i = 0; i < TOKEN_DIGITS; i++)
		differ = (unsigned char)(differ | ((unsigned char)header[i] ^ (unsigned char)token[i]));
	return differ == 0;
}
