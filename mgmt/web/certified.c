/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/certified.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/sha256.h"

/* A longer one is cut; a NUL always stands behind it. */
static int fill_subject(gnutls_x509_crt_t crt, uint8_t out[CERTIFICATE_SUBJECT])
{
	gnutls_datum_t name = { 0 };
	int r = gnutls_x509_crt_get_dn3(crt, &name, 0);
	size_t n = name.size < CERTIFICATE_SUBJECT - 1 ? name.size : CERTIFICATE_SUBJECT - 1;

	if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return 0; /* one without a subject is valid */
	if (r >= 0)
		memcpy(out, name.data, n);
	gnutls_free(name.data);
	return r;
}

/* Into place `at` of those that are told. */
static int fill(gnutls_x509_crt_t crt, struct msg_certified *ret, size_t at)
{
	gnutls_datum_t der = { 0 };
	int r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);

	if (r >= 0)
		sha256(der.data, der.size, &ret->digest[at * 32]);
	gnutls_free(der.data);
	ret->from[at] = (uint64_t)gnutls_x509_crt_get_activation_time(crt);
	ret->until[at] = (uint64_t)gnutls_x509_crt_get_expiration_time(crt);
	return r >= 0 ? fill_subject(crt, &ret->subject[at * CERTIFICATE_SUBJECT]) : r;
}

static int last_first(const void *a, const void *b)
{
	time_t x = gnutls_x509_crt_get_expiration_time(*(const gnutls_x509_crt_t *)a);
	time_t y = gnutls_x509_crt_get_expiration_time(*(const gnutls_x509_crt_t *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

static bool dated(gnutls_x509_crt_t crt)
{
	return gnutls_x509_crt_get_activation_time(crt) != (time_t)-1 &&
	       gnutls_x509_crt_get_expiration_time(crt) != (time_t)-1;
}

/* Files that were put together from others have some twice, and each is told by its digest. Sorted by their end they are near each other. */
static unsigned each_once(gnutls_x509_crt_t *list, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned same = kept;

		while (same > 0 && last_first(&list[same - 1], &list[i]) == 0 &&
		       gnutls_x509_crt_equals(list[same - 1], list[i]) == 0)
			same--;
		if (same > 0 && last_first(&list[same - 1], &list[i]) == 0)
			gnutls_x509_crt_deinit(list[i]);
		else
			list[kept++] = list[i];
	}
	return kept;
}

struct msg_certified certified_read(const void *pem, size_t n)
{
	struct msg_certified ret = { 0 };
	gnutls_x509_crt_t *list = NULL;
	gnutls_datum_t d = { .size = (unsigned)n };
	unsigned n_list = 0;
	int r = -1;

	/* GnuTLS's datum wants writable memory; it only reads it. */
	if (n > 0 && n <= CERTIFIED_MOST && (d.data = malloc(n)) != NULL) {
		memcpy(d.data, pem, n);
		r = gnutls_x509_crt_list_import2(&list, &n_list, &d, GNUTLS_X509_FMT_PEM, 0);
	}
	free(d.data);
	if (r < 0)
		return ret;
	for (unsigned i = 0; i < n_list && r >= 0; i++)
		r = dated(list[i]) ? r : -1;
	qsort(list, n_list, sizeof(gnutls_x509_crt_t), last_first);
	n_list = each_once(list, n_list);
	ret.n = n_list;
	for (unsigned i = 0; i < n_list && i < CERTIFICATES_TOLD && r >= 0; i++)
		r = fill(list[i], &ret, i);
	for (unsigned i = 0; i < n_list; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	return r >= 0 ? ret : (struct msg_certified){ 0 };
}
