/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting sekisho-webauthn (appliance/webauthn), which looks at what browsers send of security keys: the role itself takes none of it apart.
 * It stands beside this program, as the compiler does.
 */
#ifndef SEKISHO_ACCOUNTS_KEYS_H
#define SEKISHO_ACCOUNTS_KEYS_H

#include "appliance/base/err.h"

/* As child_start does. -ENOENT: there is no such program, and the role has to do without keys. */
int keys_start(struct err *e);

#endif
