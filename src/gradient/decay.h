/** Weight decay in what was shared: a multiple of the weights themselves. */
#ifndef DLG_GRADIENT_DECAY_H
#define DLG_GRADIENT_DECAY_H

#include "gradient/gradient.h"

/**
 * Of a loss with an L2 term, and of SGD with weight decay, what is shared is g + d w. Positions behind the text have no
 * g, so that their rows show d, if all of the last two are the same multiple of the weights to their last places. Then
 * d w is taken out of all parameters, of vectors (biases, layer norms) only where the last layer norm and what follows
 * it show it too, for many recipes leave these out; what is left is zero where it is not above the last place.
 * gradient->decay := d, 0 where there is none. Nothing is found where the position embedding was frozen, or a text
 * fills all of it. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_decay_take_out(dlg_gradient *, dlg_error *);

#endif
