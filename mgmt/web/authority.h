/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the box's own certificate authority (see certificate.h), by GnuTLS. Keeps nothing.
 */
#ifndef SEKISHO_MGMT_WEB_AUTHORITY_H
#define SEKISHO_MGMT_WEB_AUTHORITY_H

#include "appliance/base/err.h"

/* A new authority with an ECDSA P-256 key. Both texts are PEM, malloc'd, owned by the caller (the key's to be wiped). 0 or
 * negative errno. */
int authority_make(char **ret_key, char **ret_certificate, struct err *e);

#endif
