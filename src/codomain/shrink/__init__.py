"""Shrink a space: recipes, certificates of recall, the cheapest recipe for a target, and a map in two dimensions."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.shrink._distances import distance_student as distance_student
    from codomain.shrink.certificate import Certificate as Certificate
    from codomain.shrink.certificate import Judge as Judge
    from codomain.shrink.certificate import bounds as bounds
    from codomain.shrink.certificate import certify as certify
    from codomain.shrink.cheapest import cheapest as cheapest
    from codomain.shrink.entropic_student import EntropicStudent as EntropicStudent
    from codomain.shrink.fcm_lm import FCMLM as FCMLM
    from codomain.shrink.fitted import FittedRecipe as FittedRecipe
    from codomain.shrink.front import Front as Front
    from codomain.shrink.krr_st import KRRST as KRRST
    from codomain.shrink.layout import Layout as Layout
    from codomain.shrink.layout import kept_neighbors as kept_neighbors
    from codomain.shrink.layout import layout as layout
    from codomain.shrink.m3 import M3 as M3
    from codomain.shrink.mcquic import McQuic as McQuic
    from codomain.shrink.mrl import Matryoshka as Matryoshka
    from codomain.shrink.mrl import truncate as truncate
    from codomain.shrink.nrr_dd import NRRDD as NRRDD
    from codomain.shrink.pc_lossless import PCLossless as PCLossless
    from codomain.shrink.quickselection import QuickSelection as QuickSelection
    from codomain.shrink.recipe import Recipe as Recipe
    from codomain.shrink.renew import renew as renew

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Certificate": "certificate",
        "EntropicStudent": "entropic_student",
        "FCMLM": "fcm_lm",
        "FittedRecipe": "fitted",
        "Front": "front",
        "Judge": "certificate",
        "KRRST": "krr_st",
        "Layout": "layout",
        "M3": "m3",
        "Matryoshka": "mrl",
        "McQuic": "mcquic",
        "NRRDD": "nrr_dd",
        "PCLossless": "pc_lossless",
        "QuickSelection": "quickselection",
        "Recipe": "recipe",
        "bounds": "certificate",
        "certify": "certificate",
        "cheapest": "cheapest",
        "distance_student": "_distances",
        "kept_neighbors": "layout",
        "layout": "layout",
        "renew": "renew",
        "truncate": "mrl",
    },
)
