/* SPDX-License-Identifier: Apache-2.0 */
/* A self-signed server certificate with a fresh ECDSA P-256 key, by GnuTLS. Keeps nothing. */
#ifndef SEKISHO_MGMT_CERTIFICATE_H
#define SEKISHO_MGMT_CERTIFICATE_H

#include "appliance/base/addr.h"
#include "appliance/base/err.h"

#define CERTIFICATE_ADDRESSES 16

/* Both texts are PEM, malloc'd, owned by the caller (the key's to be wiped). Names: "sekisho" and the addresses. 0 or
 * negative errno. */
int certificate_make(const struct addr *addresses, size_t n, char **ret_key, char **ret_certificate, struct err *e);

#endif
