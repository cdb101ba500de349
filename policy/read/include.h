/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the scanner: texts. Loading them, keeping includes inside the policy folder, and collecting the expanded
 * text for libconfig piece by piece, each piece with the file and line it came from.
 */
#ifndef SEKISHO_POLICY_READ_INCLUDE_H
#define SEKISHO_POLICY_READ_INCLUDE_H

#include "policy/read/lex.h"

/* Reads what the text holds into `into`, to the text's end. */
typedef void (*scan_content)(struct scan *s, struct ast_node *into);

/* At '@'. True when a text was read into `into`. */
bool scan_include(struct scan *s, struct ast_node *into, scan_content content);
/* The text that everything begins with. */
void scan_main(struct scan *s, const char *name, struct ast_node *into, scan_content content);

#endif
