/* SPDX-License-Identifier: Apache-2.0 */
/* What people typed and others will read. */
#ifndef SEKISHO_ACCOUNTS_PLAIN_TEXT_H
#define SEKISHO_ACCOUNTS_PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/utf8.h"

size_t text_characters(const char *text);
/* A name for an account: a small letter, then small letters, digits, '.', '-', '_'; at most ACCOUNT_NAME bytes. */
#define ACCOUNT_NAME 31u
bool text_is_name(const char *text);

#endif
