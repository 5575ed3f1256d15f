/*
 * known.h: which versions references name. Include after postgres.h.
 */
#ifndef MP_KNOWN_H
#define MP_KNOWN_H

#include "model/model.h"

/*
 * The model that the reference names at this moment for the current user, or an
 * error. It is not pinned.
 */
extern const MpModel *mp_known_model(const char *reference, int length);

#endif
