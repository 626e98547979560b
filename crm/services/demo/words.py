"""What the demo school is made of: names, places and sentences. Data, so never translated."""


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FAMILY = tuple("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎")
GIVEN_MALE = _listed(
    """
    伟 强 磊 军 勇 杰 涛 超 明 刚 平 辉 鹏 瑞 海波 立新 家明 浩然 子轩 宇航 俊杰
    嘉豪 志远 文博 建国 晓东 天佑 一鸣 泽宇 思远
    """
)
GIVEN_FEMALE = _listed(
    """
    芳 娜 敏 静 丽 艳 娟 霞 婷 雪 梅 慧 琳 倩 秀英 欣怡 梓涵 诗琪 雨桐 晓雯 佳慧
    思雨 若曦 明珠 美玲 雅文 子墨 可欣 玉兰 晨曦
    """
)
ENGLISH_MALE = _listed("James Michael Daniel Thomas Kevin Jason Ryan Peter Andrew Brian Samuel Victor Leo Oscar")
ENGLISH_FEMALE = _listed("Emily Sophie Grace Alice Hannah Julia Laura Nina Olivia Rachel Vivian Zoe Clara Maria")
ENGLISH_FAMILY = _listed(
    "Smith Johnson Brown Wilson Taylor Moore Clark Lewis Walker Hall Young King Wright Green Baker Adams Nelson"
)
GRADUATED_FROM = (
    "北京工业大学",
    "上海大学",
    "深圳职业技术学院",
    "武汉理工大学",
    "四川师范大学",
    "郑州轻工业大学",
    "河北科技大学",
    "南京邮电大学",
    "西安邮电大学",
    "广东工业大学",
    "University of Leeds",
    "Monash University",
    "长沙民政职业技术学院",
    "大连东软信息学院",
    "杭州电子科技大学",
)
MAJORS = (
    "计算机科学与技术",
    "软件工程",
    "市场营销",
    "会计学",
    "英语",
    "机械工程",
    "电子信息工程",
    "视觉传达设计",
    "Business Administration",
    "Computer Science",
    "物流管理",
    "旅游管理",
)
COMPANIES = (
    "星河科技有限公司",
    "蓝海贸易有限公司",
    "云帆物流有限公司",
    "启明软件有限公司",
    "Bluebird Trading Ltd",
    "Northwind Studio",
    "晨光电商有限公司",
    "远山酒店管理公司",
    "Harbour Logistics",
    "青木设计工作室",
)
CUSTOMER_NOTES = (
    "想转行做开发，时间比较充裕。",
    "在职，只能上周末班或晚班。",
    "Prefers WeChat, please do not call before 10.",
    "预算有限，关心分期付款。",
    "Friend of a former student, wants the same class.",
    "零基础，担心跟不上进度。",
    "刚毕业，家长陪同咨询。",
    "Compares us with two other schools.",
)
# What was said, after the channel that it was said by: "" where any will do.
FIRST_CONTACT = (
    ("phone", "第一次通话，介绍了课程安排和费用，客户想先了解就业情况。"),
    ("phone", "Called, introduced the school. Wants the syllabus by WeChat."),
    ("phone", "电话未接，已加微信并发送课程大纲。"),
    ("wechat", "加微信通过，客户对 {course} 感兴趣，问了上课时间。"),
    ("phone", "Rang twice, short talk. Asked for a call after work."),
    ("", "了解基本情况：零基础，想转行，能接受脱产学习。"),
    ("phone", "客户正在上班，约了晚上再聊 {course}。"),
    ("qq", "QQ 上聊了 {course} 的课程内容，客户要了试听时间。"),
)
LATER_CONTACT = (
    ("wechat", "发送了 {course} 的学员作品，客户反馈不错，还在考虑。"),
    ("", "Sent graduate stories and salaries. Will talk it over with the family."),
    ("phone", "邀请周末到校试听，客户答应看时间安排。"),
    ("phone", "Discussed paying by instalments, sounded relieved."),
    ("", "客户在对比另外两家机构，说明了我们的师资和就业服务。"),
    ("visit", "到校试听，反馈老师讲得清楚，担心的是通勤时间。"),
    ("phone", "家里人还没同意，下次通话想请家长一起听。"),
    ("visit", "Visited the campus, met the lecturer of {course}, liked the labs."),
    ("", "Asked whether {course} has an evening class. Sent the timetable."),
    ("phone", "客户出差，约了回来以后再联系。"),
    ("", "解释了开班时间和奖学金政策，客户倾向下一期。"),
    ("phone", "Exam week, asked to be called back later."),
    ("wechat", "微信沟通，客户说预算要到月底才能确定。"),
    ("email", "Sent the contract and the prices of {course} by email."),
)
LAST_CONTACT = (
    ("phone", "客户决定报名 {course}，约好今天交定金。"),
    ("phone", "Decided for {course}, pays the deposit today."),
    ("visit", "签了协议，定金已转，等财务确认。"),
    ("visit", "Came with a parent, signed up for {course}."),
)
NEXT_STEPS = (
    "再打电话确认意向",
    "Send the timetable",
    "邀请试听",
    "Call after work",
    "发送分期方案",
    "Ask about the family's opinion",
    "确认到校时间",
)
RELEASED = (
    "客户暂时不考虑，半年后再联系",
    "Moved to another city",
    "空号，微信也联系不上",
    "Already enrolled elsewhere",
)
TRANSFERRED = ("客户想找会英语的顾问", "Lives close to the other campus", "顾问休假，交接给同事")
SHEETS = (
    "{date} 官网留资.xlsx",
    "{date} 抖音广告线索.xlsx",
    "Campus talk {date}.xlsx",
    "{date} QQ群导出.xlsx",
    "Partner leads {date}.xlsx",
    "{date} 搜索推广.xlsx",
)
REJECTED = ("未查到到账记录", "The amount differs from the bank's.", "收据号与收据不符")
POSITIONS = (
    "前端开发工程师",
    "Python 开发工程师",
    "数据分析师",
    "运维工程师",
    "UI 设计师",
    "Product assistant",
    "测试工程师",
)
BENEFITS = ("五险一金", "五险一金，双休", "五险一金，餐补", "Meals and travel paid", "六险一金，年终奖")
CAMPUSES = (("北京校区 Beijing", "北京"), ("上海校区 Shanghai", "上海"), ("深圳校区 Shenzhen", "深圳"))
COURSES = (
    ("Python 全栈开发", 19_800_00),
    ("数据分析 Data Analytics", 16_800_00),
    ("Java 后端开发", 19_800_00),
    ("前端开发 Front-end", 17_800_00),
    ("UI/UX Design 设计", 15_800_00),
    ("Linux 运维与云计算", 18_800_00),
    ("产品经理 Product Manager", 12_800_00),
    ("商务英语 Business English", 8_800_00),
)

HOMEWORK = (
    (
        "课堂练习 Exercises of the day",
        "完成课堂上没有做完的练习，并写出思路。\nFinish the exercises of the day and say how you went about them.",
    ),
    (
        "小项目 A small project",
        "写一个可以运行的小程序，附上说明。\nWrite a small program that runs, with a few lines on how to use it.",
    ),
    ("读书笔记 Notes on the reading", "读完本章，写半页笔记。\nRead the chapter and write half a page of notes."),
    ("复习题 Questions of the week", "回答本周的复习题。\nAnswer the questions of the week."),
)
HANDED_IN = (
    "老师好，作业已完成，请查收。",
    "I finished all but the last one, where I got stuck.",
    "第三题有两种做法，都写上了。",
    "Here is my solution with a short explanation.",
)
PRAISE = ("写得很好，继续保持。", "Clear and complete. Well done.", "思路清楚，代码整洁。", "Very good, and on time.")
ADVICE = (
    "注意变量命名。",
    "Good start, but two cases are missing.",
    "请再检查边界情况。",
    "Read the brief once more before you hand in.",
)
COPIED = ("与同学的作业雷同，请来办公室谈。", "This is the same as another one. Please see me.")
FAILED = ("没有按要求完成，请重做。", "This does not run. Please do it again with my help.")

LESSONS = (
    "变量与类型 Variables",
    "循环 Loops",
    "函数 Functions",
    "数据库 Databases",
    "测试 Testing",
    "小组项目 Group project",
    "复习 Review",
)

APOLOGIES = ("身体不舒服。", "At the dentist.", "家里有事。", "A family matter.", "面试。")
