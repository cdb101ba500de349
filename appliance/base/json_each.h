/* SPDX-License-Identifier: Apache-2.0 */
/* Loops over the members of a JSON list. `break` and `continue` as in any loop. */
#ifndef SEKISHO_BASE_JSON_EACH_H
#define SEKISHO_BASE_JSON_EACH_H

#include <jansson.h>

/* Goes through a list: `x` is each member in turn, and `i` its place. The inner loop runs once for
 * a member; if it is left by `break`, x_more stays 0, which ends the outer loop too. Both names are
 * declared here: no parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
#define json_each_at(i, x, list)                                                                                       \
	for (size_t i = 0, x##_more = 1; x##_more != 0 && i < json_array_size(list); i++)                              \
		for (json_t *x = (x##_more = 0, json_array_get(list, i)); x##_more == 0; x##_more = 1)
#define json_each(x, list) json_each_at(x##_n, x, list)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
