/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/authority.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/sha256.h"

#define DAY_S 86400
#define LIFE_DAYS 3650 /* clients trust it by hand; replacing it is deleting the file */

static int permit(gnutls_x509_name_constraints_t nc, gnutls_x509_subject_alt_name_t kind, const void *p, unsigned n)
{
	unsigned char copy[32] = { 0 };
	gnutls_datum_t d = { .data = copy, .size = n };

	memcpy(copy, p, n);
	return gnutls_x509_name_constraints_add_permitted(nc, kind, &d);
}

/* The name "sekisho" and addresses (both families, any): where it is trusted, it can pass for no other site's name. */
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

/* "Sekisho 1a2b3c4d", after the key: two boxes in one list of authorities are two. */
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

	serial[0] &= 0x7f; /* positive */
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

/* A malloc'd copy with a NUL; GnuTLS's own memory is wiped and given back. NULL when memory is out. */
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

int authority_make(char **ret_key, char **ret_certificate, struct err *e)
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
	return r < 0 ? err_set(e, -EIO, "certificate: %s", gnutls_strerror(r)) : err_set(e, -ENOMEM, "certificate");
}
