"""What may be filled in about a customer, and how each cell is read: the same in a form, in the grid and in a sheet."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from crm.domain import normalise
from crm.domain.base import Choice
from crm.domain.customers import Education, Experience, Gender, Source, WorkStatus
from crm.domain.normalise import Cell, spelling
from crm.i18n import LANGUAGES, Says, read_in

Clean = Callable[[Cell], Any]
"""Makes of a cell the value to store, None where nothing was entered. Raises `Wrong`."""

# At least one of these, besides a name, makes a customer.
CONTACTS = ("phone", "qq", "wechat")

_GENDERS = {Gender.MALE: "1 男 男性 男生 先生 m man", Gender.FEMALE: "2 女 女性 女生 女士 小姐 f woman"}
_EDUCATIONS = {
    Education.JUNIOR_HIGH: "初中 初中及以下",
    Education.HIGH_SCHOOL: "高中",
    Education.VOCATIONAL: "中专 职高 技校 中技",
    Education.COLLEGE: "大专 专科 高职 associate",
    Education.BACHELOR: "本科 大学本科 大学 学士 bachelor's undergraduate",
    Education.MASTER: "硕士 研究生 硕士研究生 master's",
    Education.DOCTOR: "博士 博士研究生 phd",
    Education.OTHER: "其他 其它 other",
}
_EXPERIENCES = {
    Experience.STUDENT: "在校 在校生 在读 学生",
    Experience.GRADUATE: "应届 应届生 应届毕业生 无 无经验 0",
    Experience.UNDER_ONE: "1年以内 1年以下 一年以内 一年以下 不到一年 <1年",
    Experience.ONE_TO_THREE: "1-3年 1~3年 1至3年 1到3年 一到三年 1-3years",
    Experience.THREE_TO_FIVE: "3-5年 3~5年 3至5年 3到5年 三到五年 3-5years",
    Experience.OVER_FIVE: "5年以上 五年以上 5年及以上 >5年 5+years 5+",
}
_WORK = {
    WorkStatus.EMPLOYED: "在职 已就业 就业 工作中 是 yes",
    WorkStatus.UNEMPLOYED: "离职 待业 无业 失业 未就业 否 no unemployed",
    WorkStatus.STUDYING: "在读 在校 学生 student",
}
_SOURCES = {
    Source.SEARCH: "搜索 搜索引擎 百度 百度搜索 网络搜索 baidu google",
    Source.ADVERT: "广告 网络广告 ad advert",
    Source.QQ_GROUP: "qq群 qq",
    Source.WECHAT: "微信 微信群 公众号 微信公众号 朋友圈",
    Source.DOUYIN: "抖音 短视频 tiktok",
    Source.REFERRAL: "转介绍 推荐 朋友推荐 老学员推荐 介绍 内部转介绍",
    Source.CAMPUS: "校园 校园宣讲 宣讲会 校招 校园招聘",
    Source.WALK_IN: "上门 到访 自行上门 walkin",
    Source.PARTNER: "合作 合作伙伴 合作机构 渠道 代理",
    Source.OTHER: "其他 其它 other",
}


def listed(texts: list[Says]) -> Says:
    """Several texts as one, with commas between them."""
    pattern = ", ".join(f"{{t{number}}}" for number in range(len(texts)))
    return Says(pattern, tuple((f"t{number}", text) for number, text in enumerate(texts)))


def _choice(kind: type[Choice], synonyms: Mapping[Any, str]) -> Clean:
    """Reads a choice: by code, by label in either language, or by a classic synonym (apart by spaces)."""
    allowed = listed([member.label for member in kind])

    @cache
    def readings() -> Mapping[str, Choice]:
        known: dict[str, Choice] = {}
        for member in kind:
            words = [member.value, member.value.replace("_", " "), *synonyms.get(member, "").split()]
            for language in LANGUAGES:
                with read_in(language):
                    words.append(str(member.label))
            known.update({spelling(word): member for word in words})
        return known

    return lambda cell: normalise.choice(cell, readings(), allowed)


CLEAN: Mapping[str, Clean] = {
    "name": normalise.name,
    "gender": _choice(Gender, _GENDERS),
    "phone": normalise.phone,
    "qq": normalise.qq,
    "wechat": normalise.wechat,
    "email": normalise.email,
    "education": _choice(Education, _EDUCATIONS),
    "graduation_school": partial(normalise.line, longest=100),
    "major": partial(normalise.line, longest=100),
    "experience": _choice(Experience, _EXPERIENCES),
    "work_status": _choice(WorkStatus, _WORK),
    "company": partial(normalise.line, longest=100),
    "salary": normalise.salary,
    "source": _choice(Source, _SOURCES),
    "note": partial(normalise.lines, longest=2000),
}
"""How the cells of each column of Customer are read that people fill in."""
