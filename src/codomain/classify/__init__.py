"""Label rows of frozen features from few examples."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.classify.adaptclipzs import AdaptCLIPZS as AdaptCLIPZS
    from codomain.classify.attrseg import AttrSeg as AttrSeg
    from codomain.classify.cased import CaSED as CaSED
    from codomain.classify.classification_by_description import ByDescription as ByDescription
    from codomain.classify.clustering_all_you_need import TransductivePrototypes as TransductivePrototypes
    from codomain.classify.curve import LearningCurve as LearningCurve
    from codomain.classify.curve import learning_curve as learning_curve
    from codomain.classify.desc_semantics import SelectedDescriptions as SelectedDescriptions
    from codomain.classify.descriptions import Descriptions as Descriptions
    from codomain.classify.dkm import DKM as DKM
    from codomain.classify.fudd import FuDD as FuDD
    from codomain.classify.gda_clip import GDA as GDA
    from codomain.classify.gist import GIST as GIST
    from codomain.classify.head import FewLabelHead as FewLabelHead
    from codomain.classify.jei_dnn import JEIDNN as JEIDNN
    from codomain.classify.laso import LaSO as LaSO
    from codomain.classify.lnet_anet import LNetANet as LNetANet
    from codomain.classify.loki import Loki as Loki
    from codomain.classify.moment_probing import MomentProbing as MomentProbing
    from codomain.classify.nb_vs_lr_linear_eval import NaiveBayesHead as NaiveBayesHead
    from codomain.classify.ogen import OGEN as OGEN
    from codomain.classify.recalibration import RecalibratedProbing as RecalibratedProbing
    from codomain.classify.reject import Rejects as Rejects
    from codomain.classify.reject import reject as reject
    from codomain.classify.zpe import ZPE as ZPE
    from codomain.classify.zsarcap import ZSARCap as ZSARCap

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AdaptCLIPZS": "adaptclipzs",
        "AttrSeg": "attrseg",
        "ByDescription": "classification_by_description",
        "CaSED": "cased",
        "DKM": "dkm",
        "Descriptions": "descriptions",
        "FewLabelHead": "head",
        "FuDD": "fudd",
        "GDA": "gda_clip",
        "GIST": "gist",
        "JEIDNN": "jei_dnn",
        "LNetANet": "lnet_anet",
        "LaSO": "laso",
        "LearningCurve": "curve",
        "Loki": "loki",
        "MomentProbing": "moment_probing",
        "NaiveBayesHead": "nb_vs_lr_linear_eval",
        "OGEN": "ogen",
        "RecalibratedProbing": "recalibration",
        "Rejects": "reject",
        "SelectedDescriptions": "desc_semantics",
        "TransductivePrototypes": "clustering_all_you_need",
        "ZPE": "zpe",
        "ZSARCap": "zsarcap",
        "learning_curve": "curve",
        "reject": "reject",
    },
)
