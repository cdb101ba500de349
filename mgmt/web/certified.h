/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the certificates of a file say, for the supervisor, which parses none: whose they are and from when until when. By GnuTLS. Keeps nothing.
 */
#ifndef SEKISHO_MGMT_WEB_CERTIFIED_H
#define SEKISHO_MGMT_WEB_CERTIFIED_H

#include "appliance/wire/msg.h"

#define CERTIFIED_MOST (1u << 20) /* bytes of a file */

/* `pem` is PEM; what is no certificate in it is passed over. All zero when there is none, or one that cannot be read. */
struct msg_certified certified_read(const void *pem, size_t n);

#endif
